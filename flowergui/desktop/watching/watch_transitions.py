"""What changes in the session when a run is watched: pure functions that give the changes, as
`Store.update` takes them."""

from dataclasses import replace
from typing import Any

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Mode, Session
from flowergui.desktop.transitions import NOT_RESUMING, with_mode
from flowergui.desktop.watched_run import WatchedRun, WatchState, state_of
from flowergui.events import RunWatched


def with_watch_begun(session: Session, folder: str) -> dict[str, Any]:
    """The run in this folder is watched from now on. The user's own settings wait in `new_run`."""
    changes: dict[str, Any] = {}
    if session.mode is Mode.RESUME:
        changes = with_mode(session, Mode((session.new_run or session.recipe).mode))
        changes.pop("new_run", None)
    own: Recipe = changes.get("recipe", session.recipe)
    return {
        **NOT_RESUMING,
        **changes,
        "new_run": own,
        "watched": WatchedRun(folder),
        "run_started": None,
        "chosen_checkpoint": "",
        "run_checkpoint": "",
    }


def with_watched(session: Session, event: RunWatched) -> dict[str, Any]:
    """The folder was read. Its recipe is shown, as the run has it now."""
    if session.watched is None:
        return {}
    seconds = event.seconds_since_written
    minutes = None if seconds is None else int(seconds // 60)
    # Equal as long as nothing is to be shown anew: seconds change with each look.
    event = replace(event, seconds_since_written=None if minutes is None else 60.0 * minutes)
    watched = WatchedRun(event.run.path, state_of(event), event, minutes)
    recipe = event.run.recipe
    return {"watched": watched, "recipe": recipe, "mode": Mode(recipe.mode)}


def with_unreachable(session: Session, problem: str) -> dict[str, Any]:
    """The folder can't be read now: `problem` says why, in a sentence."""
    if session.watched is None:
        return {}
    watched = replace(session.watched, state=WatchState.UNREACHABLE, problem=problem)
    return {"watched": watched}


def with_stop_asked(session: Session) -> dict[str, Any]:
    """The run was asked to stop."""
    if session.watched is None:
        return {}
    return {"watched": replace(session.watched, state=WatchState.STOPPING)}


def with_watch_left(session: Session, *, finished: bool = False) -> dict[str, Any]:
    """No run is watched any more, and the user's own settings are there again. The curves of one
    that has `finished` stay."""
    own = session.new_run or session.recipe
    changes: dict[str, Any] = {"watched": None, "new_run": None, "recipe": own}
    changes["mode"] = Mode(own.mode)
    if not finished:
        changes |= {"run_started": None, "run_checkpoint": ""}
    return changes
