"""The packages of the program have an order: none imports from one above its own."""

import ast
from graphlib import TopologicalSorter
from itertools import takewhile
from pathlib import Path

import flowergui

PACKAGE = Path(flowergui.__file__).parent

ORDER = (
    ("text", "confidence_interval", "image_suffixes"),
    ("errors",),
    ("config",),
    ("facts",),
    ("events", "requests"),
    ("confusion_matrix", "wording", "event_json"),
    ("store", "system", "samples"),
    ("learning.__init__", "learning.randomness"),
    ("learning.device",),
    ("learning.checkpoints",),
    ("learning.models",),
    ("learning.acceleration",),
    ("learning.data",),
    ("learning.linear_probe",),
    ("learning.training",),
    ("learning.resuming",),
    ("learning.estimate", "learning.inference", "learning.cluster_job"),
    ("tasks", "image_preview", "language"),
    ("cli", "desktop.style", "desktop.threads", "desktop.accessibility"),
    ("desktop.widgets",),
    ("desktop.run_names", "desktop.context_menus", "desktop.watched_run"),
    ("desktop.session",),
    ("desktop.transitions",),
    ("desktop.settings", "desktop.plots"),
    ("desktop.dataset", "desktop.layers"),
    ("desktop.training",),
    ("desktop.prediction", "desktop.watching", "desktop.cluster_job"),
    (
        *("desktop.evaluation", "desktop.batch_prediction", "desktop.linear_probe"),
        "desktop.start_from",
    ),
    ("desktop.runs", "desktop.preferences"),
    ("desktop.window", "desktop.menus"),
    ("desktop.support",),
    ("desktop.controllers",),
    ("desktop.main_window",),
    ("desktop.app",),
    ("__main__",),
)
"""Packages, and modules beside them, from the lowest to the highest. Those on one line don't import
each other."""

LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
MOST_MODULES = 18
"""In one folder."""


def package_of(module: tuple[str, ...]) -> str:
    """The package of a module in ORDER, given by the parts of its name after `flowergui`."""
    inner = module[0] in ("desktop", "learning") and len(module) > 1
    return ".".join(module[:2]) if inner else module[0]


def modules() -> dict[tuple[str, ...], ast.Module]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            found[parts] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports() -> list[tuple[str, str, str]]:
    """The package of each import's module, that of what it imports, and both modules' names."""
    known = modules()
    found = []
    for module, tree in known.items():
        for node in ast.walk(tree):
            names: list[tuple[str, ...]] = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flowergui"):
                base = tuple((node.module or "").split(".")[1:])
                names = [(*base, each.name) for each in node.names]
                names = [
                    name if name in known or (*name, "__init__") in known else base
                    for name in names
                ]
            elif isinstance(node, ast.Import):
                names = [
                    tuple(each.name.split(".")[1:])
                    for each in node.names
                    if each.name.startswith("flowergui.")
                ]
            found += [
                (
                    package_of(module),
                    package_of(name),
                    f"{'.'.join(module)} imports {'.'.join(name)}",
                )
                for name in names
                if name and package_of(name) != package_of(module)
            ]
    return found


def test_every_module_has_a_place_in_the_order() -> None:
    lost = {package_of(module) for module in modules()} - LEVEL.keys()
    assert lost - {"desktop.__init__", "learning.__init__"} == set()


def test_no_package_imports_one_above_it() -> None:
    found = imports()
    assert len(found) > 300
    wrong = [
        what
        for here, there, what in found
        if there not in ("learning",) and LEVEL[here] <= LEVEL[there]
    ]
    assert wrong == []


def test_no_modules_import_each_other() -> None:
    """Not even through others, and not for types alone."""
    known = modules()
    needs: dict[str, set[str]] = {".".join(module): set() for module in known}
    for module, tree in known.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flowergui."):
                base = tuple((node.module or "").split(".")[1:])
                names = {(*base, each.name) for each in node.names} | {base}
                needs[".".join(module)] |= {".".join(name) for name in names & known.keys()}
    order = TopologicalSorter(needs)
    order.prepare()  # raises CycleError, which names the modules


def test_no_folder_is_crowded() -> None:
    folders = [path.parent for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    crowded = {str(each) for each in folders if folders.count(each) > MOST_MODULES}
    assert crowded == set()


def test_the_readme_shows_the_packages() -> None:
    """Its tree has a line for every folder, and for every module beside the folders."""
    tree = (PACKAGE.parent / "README.md").read_text("utf-8").partition("\n    flowergui/\n")[2]
    shown, parents = set(), [""]
    for line in takewhile(str.strip, tree.splitlines()):
        name, _, says = line.strip().partition(" ")
        assert says.strip(), f"{name} is not explained"
        depth = (len(line) - len(line.lstrip())) // 2 - 3
        parents[depth + 1 :] = [f"{parents[depth]}{name}"]
        shown.add(parents[-1])
    packages = [PACKAGE, PACKAGE / "learning", PACKAGE / "desktop"]
    there = {
        path.relative_to(PACKAGE).as_posix() + ("/" if path.is_dir() else "")
        for package in packages
        for path in package.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
        if path.name != "__init__.py"
    }
    assert shown == there


def test_each_package_says_what_belongs_there() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
