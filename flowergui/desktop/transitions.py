"""What changes in the session when something happens: pure functions that give the changes, as
`Store.update` takes them."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from flowergui.config.frozen_patterns import ALL_BUT_HEAD, ALL_BUT_LAST_STAGE
from flowergui.config.presets import PRESETS, preset_of, with_preset
from flowergui.config.recipe import DEFAULT_MODELS, RESUMABLE, Recipe
from flowergui.config.unfreeze_schedule import parse_entry
from flowergui.desktop.session import (
    Mode,
    RunState,
    Session,
    frozen,
    is_idle,
    is_sample,
    listed_run,
    model_facts,
    open_dataset,
    resumable,
    resume_changes,
    weights_files,
)
from flowergui.events import EpochDone, ResumeChecked, RunsFound, RunStarted, Saved, Scanned
from flowergui.facts import ModelFacts, RunFacts
from flowergui.requests import UNCHANGED

IMAGENET = "imagenet"
"""The best weights that a network has; other values of `weights` are versions, or paths."""

SAMPLE_MODEL = "mynet"
"""The network that the sample flowers are trained with from scratch: there are curves within a
minute, on any laptop."""

OWN_SIZE: dict[str, Any] = {"image_size": 0, "training_size": 0, "first_training_size": 0}
"""The settings that leave the image size to the network."""

NOT_RESUMING: dict[str, Any] = {
    "new_run": None,
    "checkpoint": "",
    "resume_from": None,
    "finding_run": False,
    "resume_options": UNCHANGED,
    "resume_check": None,
    "moved_photos": "",
}


READ_AGAIN = frozenset(
    {"models", "dataset", "scanning", "network", "network_problem", "finding_run"}
    | {"resume_check", "estimate", "download", "run", "watched"}
)
"""The fields of a session that a new window finds out for itself: they hold sentences, or what
jobs do."""


def handed_over(session: Session) -> dict[str, Any]:
    """What another window takes over from the session of one; the state of a run that goes is its
    controller's. While one goes no folder can be scanned: the dataset stays what it is."""
    names = {each.name for each in fields(session)} - READ_AGAIN
    if session.run is not RunState.IDLE:
        names |= {"dataset"}
    return {name: getattr(session, name) for name in names}


def with_recipe(session: Session, recipe: Recipe) -> dict[str, Any]:
    """Another recipe; the preset that it has is the one that another mode takes."""
    return {"recipe": recipe, "base_preset": preset_of(recipe) or session.base_preset}


def with_chosen_preset(session: Session, preset: str) -> dict[str, Any]:
    """The values of the preset for the mode of the recipe, its frozen layers included."""
    return {"recipe": with_preset(session.recipe, preset), "base_preset": preset}


def with_dataset(session: Session, scanned: Scanned) -> dict[str, Any]:
    """A dataset is open; unless the user chose a network, a new run has the one for it. A run to
    resume, or one that is watched, keeps its own."""
    changes: dict[str, Any] = {"dataset": scanned, "scanning": False}
    opened = replace(session, **changes)
    own = session.mode is Mode.RESUME or session.watched is not None
    if own and session.new_run is not None:
        new_run = _for_open_dataset(replace(opened, recipe=session.new_run))["recipe"]
        return {**changes, "new_run": new_run}
    return {**changes, **_for_open_dataset(opened)}


def _for_open_dataset(session: Session) -> dict[str, Any]:
    """The recipe names the dataset that is open. From scratch, it has the network for it."""
    assert session.dataset is not None
    recipe = replace(session.recipe, photos=session.dataset.folder)
    model = default_model(session, Mode(recipe.mode))
    if recipe.mode != Mode.SCRATCH or session.model_chosen or recipe.model == model:
        return {"recipe": recipe}
    return {**with_model(replace(session, recipe=recipe), model), "model_chosen": False}


def with_mode(session: Session, mode: Mode) -> dict[str, Any]:
    """Another mode. A new run takes the values of the preset for it, except those that the user
    changed; the newest run is the one to resume."""
    if mode is session.mode:
        return {}
    changes: dict[str, Any] = {"mode": mode}
    if mode is Mode.RESUME:
        newest = next(iter(resumable(session)), None)
        changes["new_run"] = session.recipe
        resuming = replace(session, **changes)
        return {**changes, **with_checkpoint(resuming, newest.checkpoint if newest else "")}
    recipe = session.recipe
    if session.mode is Mode.RESUME:
        recipe = session.new_run or recipe
    if recipe.mode != mode:
        recipe = _in_mode(_without_speedup(session, recipe), mode, session.base_preset)
        if not session.model_chosen:
            recipe = replace(recipe, model=default_model(session, mode))
        changes["taken_speedup"] = ()
    dataset = open_dataset(session)
    recipe = replace(recipe, photos=dataset.folder if dataset else "")
    changes |= {**NOT_RESUMING, **with_recipe(session, recipe)}
    if recipe.model != session.recipe.model:
        changes["saved_weights"] = ()
    return changes


def default_model(session: Session, mode: Mode) -> str:
    """The network of a new run in this mode, while the user has not chosen one."""
    dataset = open_dataset(session)
    if mode is Mode.SCRATCH and dataset and is_sample(dataset):
        return SAMPLE_MODEL
    return DEFAULT_MODELS[mode]


def with_model(session: Session, model: str) -> dict[str, Any]:
    """The user wants another network. Names of the old one's layers mean nothing there, words
    do."""
    recipe = session.recipe
    usual: Any = PRESETS["recommended"][recipe.mode]
    taken = replace(recipe, model=model)
    if not {ALL_BUT_HEAD, ALL_BUT_LAST_STAGE}.issuperset(recipe.frozen):
        taken = replace(taken, frozen=usual["frozen"])
    if recipe.unfreeze_schedule and model != recipe.model:
        taken = replace(taken, unfreeze_schedule=(), freeze_epochs=usual["freeze_epochs"])
    facts = next((each for each in session.models if each.name == model), None)
    own_file = recipe.weights == session.weights_file != ""
    if facts is not None and not own_file:
        taken = replace(taken, weights=_best_weights(facts, recipe.weights))
    changes = with_recipe(session, taken)
    return {**changes, "saved_weights": (), "model_chosen": True}


def with_weights(session: Session, weights: str) -> dict[str, Any]:
    """Other weights to transfer from; a file stays on offer."""
    changes = with_recipe(session, replace(session.recipe, weights=weights))
    if Path(weights).suffix and weights not in session.saved_weights:
        changes["weights_file"] = weights
    return changes


def with_saved_weights(session: Session, files: tuple[str, ...]) -> dict[str, Any]:
    """These files of weights of the network, which was just chosen, were saved for use offline.
    They are taken if all its others would have to be downloaded."""
    changes: dict[str, Any] = {"saved_weights": files}
    facts = model_facts(session)
    missing = facts is not None and not any(each.local for each in facts.weights)
    if files and missing and session.recipe.weights == IMAGENET:
        changes |= with_recipe(session, replace(session.recipe, weights=files[0]))
    return changes


def _best_weights(facts: ModelFacts, before: str) -> str:
    """The version of `before` if the network has it too, else its default; another version if only
    that is on this machine."""
    here = [each.name for each in facts.weights if each.local]
    if before in [each.name for each in facts.weights[1:]]:
        return before
    return IMAGENET if not here or facts.weights[0].local else here[0]


def settled_weights(session: Session) -> str:
    """The weights of the recipe where its network has them, else the best there are; "" for none.
    A file that the user chose stays, whatever the network."""
    facts, weights = model_facts(session), session.recipe.weights
    if facts is None or weights in weights_files(session):
        return weights
    versions = [each.name for each in facts.weights]
    if versions:
        return weights if weights in versions[1:] else IMAGENET
    return next(iter(session.saved_weights), "")


def new_run_recipe(session: Session) -> Recipe:
    """The recipe with which a new run begins: it names its dataset, and weights only for a
    transfer."""
    recipe, dataset = session.recipe, open_dataset(session)
    weights = recipe.weights if recipe.mode == Mode.TRANSFER else Recipe().weights
    return replace(recipe, photos=dataset.folder if dataset else "", weights=weights)


def with_settings_of(session: Session, recipe: Recipe) -> dict[str, Any]:
    """A new run with the settings of another, on the dataset that is open."""
    known = {each.name for each in session.models}
    dataset = open_dataset(session)
    # What that run has unfrozen is frozen at the start of the next.
    unfrozen = (parse_entry(entry)[0] for entry in recipe.unfreeze_schedule)
    names = tuple(dict.fromkeys((*recipe.frozen, *unfrozen)))
    taken = replace(recipe, photos=dataset.folder if dataset else "", frozen=names)
    if known and recipe.model not in known:
        taken = replace(taken, model=session.recipe.model, unfreeze_schedule=())
    changes = {**NOT_RESUMING, **with_recipe(session, taken), "mode": Mode(recipe.mode)}
    changes["model_chosen"] = True
    if Path(recipe.weights).suffix:
        changes["weights_file"] = recipe.weights
    return changes


def with_speedup(session: Session) -> dict[str, Any]:
    """The settings become those of the suggested speed-up."""
    way = session.estimate.speedup if session.estimate else None
    if way is None:
        return {}
    recipe = session.recipe
    taken = tuple((name, value, getattr(recipe, name)) for name, value in way.values)
    values: dict[str, Any] = dict(way.values)
    return {**with_recipe(session, replace(recipe, **values)), "taken_speedup": taken}


def without_speedup(session: Session) -> dict[str, Any]:
    """The settings become again what they were before it, unless they were changed since."""
    return {
        **with_recipe(session, _without_speedup(session, session.recipe)),
        "taken_speedup": (),
    }


# --- runs on disk -----------------------------------------------------------------------------


def with_runs(session: Session, found: RunsFound) -> dict[str, Any]:
    """These runs are on disk now. The run to resume is what it is on disk; where it is not there
    any more, the newest takes its place, unless a run goes: the recipe is that run's then. The run
    that goes stays on the list, wherever it is."""
    changes: dict[str, Any] = {
        "runs": _with_running(session, found.runs),
        "bare_weights": found.bare_weights,
        "bare_weights_newer": found.bare_weights_newer,
    }
    if session.mode is not Mode.RESUME:
        return changes
    after = replace(session, **changes)
    offered = [each.checkpoint for each in resumable(after)]
    if session.checkpoint in offered:
        changes["resume_from"] = _run_of(after, session.checkpoint)
    elif is_idle(session) and (
        not session.checkpoint or session.checkpoint != session.other_checkpoint
    ):
        changes.update(with_checkpoint(after, next(iter(offered), "")))
    return changes


def _with_running(session: Session, runs: tuple[RunFacts, ...]) -> tuple[RunFacts, ...]:
    started = session.run_started
    if session.run is RunState.IDLE or started is None:
        return runs
    running = listed_run(session, started.run)
    if running is None or any(each.path == running.path for each in runs):
        return runs
    return (running, *runs)


def with_checkpoint(session: Session, checkpoint: str) -> dict[str, Any]:
    """Another checkpoint is to be resumed, "" for none. The recipe is that of its run; bare
    weights are a new run of a network that will be recognised, at its own image size.

    A checkpoint that is not on the list has `finding_run` set until `with_run_found`.
    """
    offered = [each.checkpoint for each in resumable(session)]
    elsewhere = bool(checkpoint) and checkpoint not in offered
    changes: dict[str, Any] = {
        "checkpoint": checkpoint,
        "finding_run": elsewhere,
        "resume_options": UNCHANGED,
        "resume_check": None,
        "moved_photos": "",
    }
    if elsewhere:
        return {**changes, "resume_from": None, "other_checkpoint": checkpoint}
    run = _run_of(session, checkpoint)
    return {**changes, **with_run_found(replace(session, checkpoint=checkpoint), run)}


def with_run_found(session: Session, run: RunFacts | None) -> dict[str, Any]:
    """The run of the checkpoint to resume is known; None for bare weights."""
    changes: dict[str, Any] = {"resume_from": run, "finding_run": False}
    if run is not None:
        return {**changes, "recipe": run.recipe}
    if session.checkpoint and session.new_run is not None:
        own = replace(session.new_run, **OWN_SIZE, mode="scratch", unfreeze_schedule=())
        return {**changes, "recipe": own}
    return changes


def with_resume_check(session: Session, event: ResumeChecked) -> dict[str, Any]:
    """A run to resume was checked. What it runs with, live changes included, is its recipe, but
    for what the user changed."""
    changes: dict[str, Any] = {"resume_check": event}
    run = session.resume_from
    if event.recipe is None or run is None:
        return changes
    changed = resume_changes(session)
    values: dict[str, Any] = {
        name: getattr(event.recipe, name) for name in RESUMABLE if name not in changed
    }
    changes["resume_from"] = replace(run, recipe=replace(run.recipe, **values))
    changes["recipe"] = replace(session.recipe, **values)
    return changes


def without_run(session: Session, folder: str) -> dict[str, Any]:
    """The changes to a session whose run in `folder` has gone from the disk."""

    def inside(path: str) -> bool:
        return bool(path) and Path(path).parent == Path(folder)

    changes: dict[str, Any] = {"runs": tuple(run for run in session.runs if run.path != folder)}
    if inside(session.chosen_checkpoint):
        changes["chosen_checkpoint"] = ""
    if inside(session.run_checkpoint):
        changes["run_checkpoint"] = ""
    return changes


# --- the run that trains ------------------------------------------------------------------------


def with_run_begun(session: Session) -> dict[str, Any]:
    """A run begins here: one that is resumed predicts by what it has, a new one by nothing yet."""
    run = session.resume_from if session.mode is Mode.RESUME else None
    return {
        "run_started": None,
        "begun_with": session.recipe,
        "ended_with": None,
        "chosen_checkpoint": "",
        "run_checkpoint": (run.best or run.last) if run else "",
    }


def with_run_started(session: Session, event: RunStarted) -> dict[str, Any]:
    """A run goes, and heads the list of runs. Its network, frozen layers and learning rate are what
    the recipe says: weights alone, or an old checkpoint, may differ from what was shown. What the
    user changed since Start stays: the run will follow."""
    changes: dict[str, Any] = {"run_started": event}
    recipe = session.recipe
    begun = session.begun_with or recipe
    if event.model != recipe.model:
        recipe = replace(recipe, model=event.model, frozen=event.frozen, unfreeze_schedule=())
    elif (
        recipe.frozen == begun.frozen
        and session.network is not None
        and set(frozen(session)) != set(event.frozen)
    ):
        recipe = replace(recipe, frozen=event.frozen)
    if event.learning_rate and recipe.learning_rate == begun.learning_rate:
        recipe = replace(recipe, learning_rate=event.learning_rate)
    changes["recipe"] = recipe
    if listed_run(session, event.run) is None:
        classes = len(event.classes)
        if event.training_size is not None:  # the time budget may have chosen another
            recipe = replace(recipe, training_size=event.training_size)
        facts = RunFacts(event.run, recipe, classes, event.epoch - 1, 0.0, "", "")
        changes["runs"] = (facts, *session.runs)
    return changes


def with_epoch_done(session: Session, event: EpochDone) -> dict[str, Any]:
    """The run that goes has done an epoch; a time budget may have given it another number of
    epochs."""
    started = session.run_started
    run = listed_run(session, started.run) if started else None
    recipe = {"recipe": replace(run.recipe, epochs=event.epochs)} if run else {}
    return _of_this_run(
        session, epochs_done=event.epoch, batch=0, best_accuracy=event.best_accuracy, **recipe
    )


def with_saved(session: Session, event: Saved) -> dict[str, Any]:
    """The run that goes has saved a checkpoint."""
    best = Path(event.path).name == "best.pth"
    return _of_this_run(session, **{"best" if best else "last": event.path})


def with_run_ended(session: Session) -> dict[str, Any]:
    """The run has ended. One that was resumed is not wanted twice: the mode is again that of the
    new run before it. One that could not begin still is."""
    assert is_idle(session)
    changes: dict[str, Any] = {"resume_options": UNCHANGED, "resume_check": None}
    if session.mode is Mode.RESUME and session.new_run is not None and session.run_started:
        changes = with_mode(session, Mode(session.new_run.mode))
    return {**changes, "ended_with": changes.get("recipe", session.recipe)}


def _of_this_run(session: Session, **facts: Any) -> dict[str, Any]:
    started = session.run_started
    run = listed_run(session, started.run) if started else None
    if run is None:
        return {}
    after = replace(run, **facts)
    changes: dict[str, Any] = {
        "runs": tuple(after if each is run else each for each in session.runs)
    }
    if session.resume_from is not None and session.resume_from.path == run.path:
        changes["resume_from"] = after
    return changes


def _run_of(session: Session, checkpoint: str) -> RunFacts | None:
    runs = (run for run in session.runs if checkpoint and checkpoint in (run.last, run.best))
    return next(runs, None)


def _without_speedup(session: Session, recipe: Recipe) -> Recipe:
    taken = session.taken_speedup
    if any(getattr(recipe, name) != value for name, value, _ in taken):
        return recipe
    values: dict[str, Any] = {name: before for name, _, before in taken}
    return replace(recipe, **values)


def _in_mode(recipe: Recipe, mode: Mode, preset: str) -> Recipe:
    """`recipe` in another mode. What it has from the preset becomes the preset's for that mode;
    what the user changed stays."""
    before, after = PRESETS[preset][recipe.mode], PRESETS[preset][mode]
    untouched: dict[str, Any] = {
        name: value
        for name, value in after.items()
        if getattr(recipe, name) == before.get(name) or name in ("frozen", "unfreeze_schedule")
    }
    return replace(recipe, mode=str(mode), **untouched)
