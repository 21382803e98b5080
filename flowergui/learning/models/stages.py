"""The stages of a network, found in its structure: what fine-tuning treats as one."""

from collections.abc import Iterable, Mapping, Sequence

from flowergui.facts import ParameterFacts, StageFacts

MIN_STAGES = 4
"""Modules are opened, the largest first, until there are so many stages before the head: fewer
tell early layers from late ones too coarsely. resnet18 has five (with conv1 and bn1 as one),
vit_b_16 twelve."""


def find_stages(
    parameters: Sequence[ParameterFacts], head: Iterable[str], calls: Mapping[str, int]
) -> tuple[StageFacts, ...]:
    """The stages in the order in which images pass through them, the head (names of parameters) as
    the last one. Each parameter is in one of them.

    `calls` maps names of modules to when they were called. Modules without weight matrices, such
    as normalization layers, and parameters that stand beside modules belong to the stage before
    them, or to the first one.
    """
    last = set(head)
    facts = {each.name: each for each in parameters if each.name not in last}
    opened = {"", *(above for name in last for above in _modules_above(name.rpartition(".")[0]))}
    while True:
        units = _units(facts.values(), opened)
        stages = _joined(sorted(units.items(), key=lambda unit: _first_call(unit[0], calls)))
        sizes = {
            unit: sum(each.size for each in inside)
            for unit, inside in units.items()
            if any(each.name.count(".") > unit.count(".") + 1 for each in inside)
        }
        if len(stages) >= MIN_STAGES or not sizes:
            break
        opened.add(max(sizes, key=lambda unit: sizes[unit]))
    head_modules = tuple(dict.fromkeys(name.rpartition(".")[0] for name in head))
    stages.append((head_modules, tuple(each.name for each in parameters if each.name in last)))
    return tuple(
        StageFacts(modules, names, len(stages) - number)
        for number, (modules, names) in enumerate(stages, 1)
    )


def _units(
    parameters: Iterable[ParameterFacts], opened: set[str]
) -> dict[str, list[ParameterFacts]]:
    """The parameters by the outermost module that holds them and is not `opened`, or by their own
    name if all are."""
    units: dict[str, list[ParameterFacts]] = {}
    for each in parameters:
        paths = (*_modules_above(each.name), each.name)
        unit = next(path for path in paths if path not in opened)
        units.setdefault(unit, []).append(each)
    return units


def _modules_above(name: str) -> tuple[str, ...]:
    """The names of the modules that hold the parameter or module `name`, the outermost first."""
    parts = name.split(".")
    return tuple(".".join(parts[:depth]) for depth in range(1, len(parts)))


def _first_call(unit: str, calls: Mapping[str, int]) -> int:
    """When the unit was called, or a module in it; -1 for a parameter that stands alone."""
    inside = (time for name, time in calls.items() if f"{name}.".startswith(f"{unit}."))
    return min(inside, default=-1)


def _joined(
    units: Iterable[tuple[str, list[ParameterFacts]]],
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Units and their parameters as stages: (modules, names of parameters) each."""
    stages: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    complete = False
    for unit, inside in units:
        names = tuple(each.name for each in inside)
        weighty = any(len(each.shape) > 1 for each in inside) and unit not in names
        if stages and not (weighty and complete):
            modules, before = stages.pop()
            stages.append(((*modules, unit), before + names))
            complete = complete or weighty
        else:
            stages.append(((unit,), names))
            complete = weighty
    return stages
