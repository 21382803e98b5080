"""The window's model: its store, and what may be done with what is known."""

from dataclasses import replace

import pytest

from flowergui.config.presets import with_preset
from flowergui.config.recipe import RESUMABLE, Recipe
from flowergui.desktop.session import (
    DEFAULT_CLASSES,
    LIVE_SETTINGS,
    Mode,
    RunState,
    Session,
    Store,
    can_estimate,
    class_count,
    editable,
    frozen,
    is_extended,
    predicting_checkpoint,
    preset,
    resume_changes,
    unfinished_run,
    why_not_start,
)
from flowergui.desktop.transitions import with_run_started, with_runs, without_run
from flowergui.events import ModelDescribed, ResumeChecked, RunsFound, RunStarted, Scanned
from flowergui.facts import (
    Check,
    ClassCount,
    ModelFacts,
    ParameterFacts,
    RunFacts,
    Verdict,
)

NAMES = ("conv1.weight", "layer1.weight", "fc.weight", "fc.bias")
NETWORK = ModelDescribed(
    "resnet18", 2, 64, tuple(ParameterFacts(name, (3, 3), 9) for name in NAMES), (), NAMES[2:],
    NAMES[1:2],
)  # fmt: skip
CLASSES = (ClassCount("rose", 8, 0, ()), ClassCount("tulip", 8, 0, ()))
DATASET = Scanned("/photos", "flat", CLASSES, ())
MODELS = (ModelFacts("resnet18", "ResNet", 1000, 64, ()),)
READY = Session(dataset=DATASET, network=NETWORK, models=MODELS)


def run(name: str = "a", **changes: object) -> RunFacts:
    facts = RunFacts(
        f"/m/{name}", Recipe(epochs=3), 5, 1, 0.5, f"/m/{name}/last.pth", f"/m/{name}/best.pth"
    )
    return replace(facts, **changes)


def resuming(facts: RunFacts, **changes: object) -> Session:
    session = replace(
        READY, mode=Mode.RESUME, recipe=facts.recipe, checkpoint=facts.last, resume_from=facts
    )
    return replace(session, **changes)


# --- the store --------------------------------------------------------------------------------


def test_an_update_is_heard_once_and_only_where_something_differs():
    store, heard = Store(), []
    store.changed.connect(lambda before, after: heard.append((before, after)))
    first = store.session
    store.update(scanning=True, run=RunState.RUNNING)
    assert heard == [(first, replace(first, scanning=True, run=RunState.RUNNING))]
    store.update(scanning=True)
    assert len(heard) == 1


def test_listeners_that_update_hear_all_in_order():
    store, heard = Store(), []

    def follow(before: Session, after: Session) -> None:
        if after.scanning and not before.scanning:
            store.update(run=RunState.RUNNING)
            assert store.session.run is RunState.RUNNING  # at once

    store.changed.connect(follow)
    store.changed.connect(lambda before, after: heard.append((after.scanning, after.run)))
    store.update(scanning=True)
    assert heard == [(True, RunState.IDLE), (True, RunState.RUNNING)]


# --- a new run --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"dataset": None}, "Choose a folder"),
        ({"scanning": True}, "being scanned"),
        ({"network": None}, "being described"),
        ({"network": None, "network_problem": "It can't take 3 px."}, "It can't take 3 px."),
        ({"recipe": Recipe(epochs=0)}, "pochs"),
        ({"recipe": Recipe(frozen=("*",))}, "Everything is frozen"),
    ],
)
def test_why_a_new_run_cannot_start(changes, says):
    session = replace(READY, **changes)
    assert says in why_not_start(session)
    assert bool(why_not_start(session)) == bool(says) == (not can_estimate(session))


def test_a_network_is_described_for_the_classes_that_are_open():
    assert class_count(Session()) == DEFAULT_CLASSES
    assert class_count(READY) == 2
    assert class_count(replace(READY, scanning=True)) == 2  # nothing flickers if it fails
    assert class_count(resuming(run())) == 5


def test_frozen_layers_are_those_of_the_network():
    assert frozen(Session()) == ()
    assert frozen(replace(READY, recipe=Recipe(frozen=("all-but-head",)))) == NAMES[:2]
    strange = Recipe(mode="transfer", frozen=("encoder.*",))
    assert frozen(replace(READY, recipe=strange)) == NAMES[:2]  # the preset's


def test_a_tick_is_a_change_to_the_preset():
    transfer = with_preset(Recipe(mode="transfer"), "recommended")
    session = replace(READY, recipe=transfer)
    assert preset(session) == "recommended"
    assert preset(replace(session, recipe=replace(transfer, frozen=NAMES[:2]))) == "recommended"
    assert preset(replace(session, recipe=replace(transfer, frozen=NAMES[:1]))) == ""
    assert preset(replace(session, recipe=replace(transfer, epochs=7, minutes=0.0))) == ""
    unfrozen = replace(session, recipe=replace(transfer, frozen=()))
    assert preset(unfrozen) == ""
    assert preset(replace(unfrozen, run=RunState.RUNNING)) == "recommended"  # by the run itself


# --- a run to resume --------------------------------------------------------------------------


def test_what_may_be_edited():
    assert "batch_size" in editable(READY)
    assert editable(resuming(run())) == frozenset(RESUMABLE)
    assert "batch_size" in editable(resuming(run(), resume_from=None))
    assert editable(resuming(run(), run=RunState.PAUSED)) == LIVE_SETTINGS


def test_what_was_changed_of_a_run():
    session = resuming(run())
    assert resume_changes(session) == {}
    other = replace(session.recipe, epochs=9, frozen=("fc",), batch_size=1)
    assert resume_changes(replace(session, recipe=other)) == {"epochs": 9, "frozen": ("fc",)}
    assert resume_changes(replace(session, moved_photos="/new")) == {"photos": "/new"}
    assert is_extended(replace(session, recipe=other))
    assert not is_extended(session)


def test_bare_weights_need_all_settings_and_a_dataset():
    session = resuming(run(), resume_from=None)
    changes = resume_changes(session)
    assert changes["photos"] == "/photos"
    assert changes["epochs"] == 3
    assert "model" not in changes
    assert why_not_start(session) == ""
    assert "only weights" in why_not_start(replace(session, dataset=None))


def test_what_keeps_a_run_from_going_on():
    assert "no run to resume" in why_not_start(Session(mode=Mode.RESUME))
    assert why_not_start(resuming(run())) == ""
    check = Check("Images", Verdict.BLOCKING, "12 are missing", "Open the folder that has them.")
    blocked = resuming(run(), resume_check=ResumeChecked("/m/a", (check,), 0, (), (), 2))
    assert why_not_start(blocked) == "Images: 12 are missing. Open the folder that has them."


def test_the_run_that_trains_stays_the_one_to_resume():
    """Its last.pth is missing between two renames, or it was resumed from previous.pth."""
    trains, other = run("a", last="", best=""), run("b", recipe=Recipe(learning_rate=0.5))
    found = RunsFound((trains, other), "", bare_weights_newer=False)
    idle = resuming(run("a"))
    assert with_runs(idle, found)["recipe"] == other.recipe
    changes = with_runs(replace(idle, run=RunState.RUNNING), found)
    assert changes["runs"] == (trains, other)
    assert "recipe" not in changes
    assert "checkpoint" not in changes


def test_the_newest_run_is_offered_while_it_has_epochs_left():
    assert unfinished_run(Session()) is None
    assert unfinished_run(Session(runs=(run("b", last=""), run("a")))) == run("a")
    assert unfinished_run(Session(runs=(run("b", epochs_done=3), run("a")))) is None


# --- predictions ------------------------------------------------------------------------------


def test_which_checkpoint_predicts():
    assert predicting_checkpoint(Session()) == ""
    session = Session(runs=(run("b", best=""), run("a")))
    assert predicting_checkpoint(session) == "/m/b/last.pth"
    better = run("a", best_accuracy=0.9)
    assert predicting_checkpoint(replace(session, runs=(run("b"), better))) == "/m/a/best.pth"
    elsewhere = replace(better, recipe=replace(better.recipe, photos="/other"))
    session = replace(session, runs=(run("b"), elsewhere))  # of other images than the newest
    assert predicting_checkpoint(session) == "/m/b/best.pth"
    opened = replace(session, dataset=replace(DATASET, folder="/other"))
    assert predicting_checkpoint(opened) == "/m/a/best.pth"
    session = replace(session, resume_from=run("a"))
    assert predicting_checkpoint(session) == "/m/a/best.pth"
    session = replace(session, run_checkpoint="/m/c/best.pth")
    assert predicting_checkpoint(session) == "/m/c/best.pth"
    session = replace(session, chosen_checkpoint="/x.pth")
    assert predicting_checkpoint(session) == "/x.pth"


def test_a_run_that_has_gone_predicts_no_more():
    session = Session(
        runs=(run("b"), run("a")), run_checkpoint="/m/b/best.pth", chosen_checkpoint="/m/b/last.pth"
    )
    assert predicting_checkpoint(replace(session, **without_run(session, "/m/b"))) == (
        "/m/a/best.pth"
    )


# --- the run that trains ----------------------------------------------------------------------

STARTED = RunStarted(
    "/m/a", "resnet18", "scratch", ("rose", "tulip"), 12, 4, 64, "cpu", "float32", 3, 4, 2, 0, 4,
    36, 36, NAMES[:1], True, learning_rate=0.005,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "rate", "layers"),
    [
        ({}, 0.005, NAMES[:1]),
        ({"learning_rate": 0.03}, 0.03, NAMES[:1]),
        ({"frozen": NAMES[1:2]}, 0.005, NAMES[1:2]),
    ],
)
def test_a_run_says_what_it_runs_with_but_for_what_was_changed_since(changes, rate, layers):
    begun = Recipe(model="resnet18", learning_rate=0.002)
    session = resuming(
        run(recipe=begun),
        run=RunState.RUNNING,
        begun_with=begun,
        recipe=replace(begun, **changes),
    )
    recipe = with_run_started(session, STARTED)["recipe"]
    assert (recipe.learning_rate, recipe.frozen) == (rate, layers)


def test_a_run_that_does_not_say_its_learning_rate_has_that_of_the_recipe():
    session = resuming(run(), run=RunState.RUNNING)
    recipe = with_run_started(session, replace(STARTED, learning_rate=0.0))["recipe"]
    assert recipe.learning_rate == session.recipe.learning_rate
