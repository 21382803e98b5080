"""A run that another process or machine trains, and this window follows."""

from dataclasses import dataclass
from enum import StrEnum

from flowergui.events import RunWatched
from flowergui.text import number, tr
from flowergui.wording import overdue_text


class WatchState(StrEnum):
    """What is known of a run that is watched."""

    OPENING = "opening"
    """Its folder is being read for the first time."""
    TRAINING = "training"
    OVERDUE = "overdue"
    """It trains, but has written nothing for long."""
    STOPPING = "stopping"
    """It was asked to stop, and has not ended yet."""
    STOPPED = "stopped"
    """No process trains it, and it has epochs left."""
    UNREACHABLE = "unreachable"
    """Its folder can't be read, or does not answer."""


@dataclass(frozen=True, slots=True)
class WatchedRun:
    """The run in the folder `path`, as far as it is known; `event` is None until it was read.

    `problem` says why the folder can't be read; it is a sentence. `minutes_since_written` are whole
    minutes; None before anything was written.
    """

    path: str
    state: WatchState = WatchState.OPENING
    event: RunWatched | None = None
    minutes_since_written: int | None = None
    problem: str = ""

    @property
    def can_be_asked(self) -> bool:
        """Whether it can be asked to save or to stop: its process reads requests, and was not asked
        to stop before."""
        asked = self.state in (WatchState.STOPPING, WatchState.STOPPED, WatchState.UNREACHABLE)
        return not asked and self.event is not None and self.event.reads_requests

    @property
    def host(self) -> str:
        """The machine where it trains; "" if that is not known."""
        return self.event.host if self.event else ""


def state_of(event: RunWatched) -> WatchState:
    """What the folder of a run says of its state."""
    if not event.is_training:
        return WatchState.STOPPED
    if event.stop_requested:
        return WatchState.STOPPING
    return WatchState.OVERDUE if event.is_overdue else WatchState.TRAINING


def explanation(watched: WatchedRun) -> str:
    """What the state means, in a sentence or two; "" for nothing."""
    match watched.state:
        case WatchState.OPENING:
            return tr("A network drive may take a moment.")
        case WatchState.UNREACHABLE:
            return tr("Its folder can't be read; the window tries again by itself.")
        case WatchState.OVERDUE if watched.event is not None:
            return overdue_text(watched.event)
        case WatchState.STOPPING:
            return tr("It was asked to stop: it saves first, within a batch.")
        case WatchState.STOPPED:
            return tr("If it is continued there, its curves go on here.")
        case WatchState.TRAINING if watched.event is not None:
            minutes = watched.event.run.recipe.save_minutes
            return tr(
                "New points come each time that it saves, every {minutes} min at the latest.",
                minutes=number(minutes),
            )
    return ""


def read_only_text() -> str:
    """Why the settings of a run that is watched can't be changed."""
    return tr(
        "These are the settings of the run that is watched. It trains elsewhere, so they can't be "
        "changed here."
    )
