"""From which epoch on each stage trains, as the layers panel shows and changes it."""

from dataclasses import replace

import pytest
from test_layer_tree import STAGES, described

from flowergui.config.recipe import Recipe
from flowergui.desktop.layers.stage_schedule import (
    NEVER,
    START,
    parameter_epochs,
    stage_epoch,
    with_frozen,
    with_stage_epoch,
)
from flowergui.desktop.session import RunState, Session
from flowergui.events import RunStarted
from flowergui.facts import RunFacts

STEM, LAYER1, LAYER2, FC = STAGES


def session(**values: object) -> Session:
    recipe = Recipe(**{"mode": "transfer", "epochs": 9, "frozen": ("all-but-head",), **values})
    return Session(recipe=recipe, network=described())


def shown(of: Session) -> tuple[int | None, ...]:
    epochs = parameter_epochs(of)
    return tuple(stage_epoch(stage, epochs) for stage in STAGES)


def changed(of: Session, values: dict[str, object]) -> Session:
    return replace(of, recipe=replace(of.recipe, **values))


@pytest.mark.parametrize(
    ("recipe", "epochs"),
    [
        ({}, (NEVER, NEVER, NEVER, START)),
        ({"frozen": ()}, (START, START, START, START)),
        ({"freeze_epochs": 2}, (3, 3, 3, START)),
        ({"freeze_epochs": 2, "mode": "scratch"}, (NEVER, NEVER, NEVER, START)),
        ({"unfreeze_schedule": ("layer2=2", "layer1=5")}, (NEVER, 5, 2, START)),
        ({"unfreeze_schedule": ("layer2=4",), "freeze_epochs": 1}, (2, 2, 4, START)),
        ({"unfreeze_schedule": ("bn1=4",)}, (None, NEVER, NEVER, START)),
        ({"unfreeze_schedule": ("of another network=4",)}, (NEVER, NEVER, NEVER, START)),
        ({"unfreeze_schedule": ("layer2=4",), "frozen": ("layer1",)}, (START, NEVER, START, START)),
    ],
)
def test_what_the_recipe_says(recipe: dict[str, object], epochs: tuple[int | None, ...]) -> None:
    assert shown(session(**recipe)) == epochs


def test_without_a_network_nothing_is_shown_or_changed() -> None:
    bare = replace(session(), network=None)
    assert parameter_epochs(bare) == {}
    assert with_stage_epoch(bare, LAYER1, 3) == {}


def test_an_edit_leaves_the_other_stages_as_they_are() -> None:
    before = session(freeze_epochs=1)
    after = changed(before, with_stage_epoch(before, LAYER1, 4))
    assert shown(after) == (2, 4, 2, START)
    assert after.recipe.frozen == ("all-but-head",)  # the same layers in the same words
    assert after.recipe.freeze_epochs == 0
    assert after.recipe.unfreeze_schedule == (
        "conv1=2",
        "bn1=2",
        "scale=2",
        "layer1=4",
        "layer2.0=2",
    )
    never = changed(after, with_stage_epoch(after, STEM, NEVER))
    assert shown(never) == (NEVER, 4, 2, START)
    assert never.recipe.unfreeze_schedule == ("layer1=4", "layer2.0=2")


def test_start_unfreezes_and_an_epoch_freezes() -> None:
    before = session()
    after = changed(before, with_stage_epoch(before, LAYER2, START))
    assert shown(after) == (NEVER, NEVER, START, START)
    assert "layer2.0.conv1.weight" not in after.recipe.frozen
    again = changed(after, with_stage_epoch(after, LAYER2, 3))
    assert shown(again) == (NEVER, NEVER, 3, START)
    assert set(again.recipe.frozen) == {n for stage in STAGES[:3] for n in stage.parameters}


def test_what_is_ticked_or_unticked_leaves_the_schedule() -> None:
    before = session(unfreeze_schedule=("layer1=3", "layer2=2"))
    names = tuple(n for stage in (STEM, LAYER1) for n in stage.parameters)
    after = changed(before, with_frozen(before, names))  # layer2 is unticked
    assert shown(after) == (NEVER, 3, START, START)
    back = changed(after, with_frozen(after, (*names, *LAYER2.parameters)))
    assert shown(back) == (NEVER, 3, NEVER, START)
    assert back.recipe.unfreeze_schedule == ("layer1=3",)


def test_in_a_run_it_says_since_when_a_stage_trains() -> None:
    """The run has unfrozen layer2 by itself; an epoch that is over means now."""
    run = RunFacts("/run", Recipe(), 5, 3, 0.5, "", "")
    started = RunStarted(
        "/run", "small", "transfer", ("a",), 1, 1, 64, "cpu", "float32", 9, 4, 1, 0, 0, 1, 1, (),
        resumed=False,
    )  # fmt: skip
    frozen = tuple(n for stage in (STEM, LAYER1) for n in stage.parameters)
    going = replace(
        session(unfreeze_schedule=("layer1=6", "layer2=2"), frozen=frozen),
        run=RunState.RUNNING, runs=(run,), run_started=started,
    )  # fmt: skip
    assert shown(going) == (NEVER, 6, 2, START)
    later = changed(going, with_stage_epoch(going, STEM, 8))
    assert later.recipe.unfreeze_schedule == (
        "conv1=8", "bn1=8", "scale=8", "layer1=6", "layer2.0=2",
    )  # fmt: skip
    now = changed(going, with_stage_epoch(going, LAYER1, 4))
    assert shown(now) == (NEVER, START, 2, START)
    assert now.recipe.frozen == tuple(n for n in frozen if n in STEM.parameters)
