"""What a window leaves to the one that takes its place in another language."""

from dataclasses import dataclass
from typing import Any

from flowergui.desktop.session import Session
from flowergui.desktop.training.run_presenter import ShownRun
from flowergui.desktop.training.run_status import RunStatus
from flowergui.desktop.training.training_controller import OngoingRun
from flowergui.desktop.widgets.message_log import LogEntry
from flowergui.desktop.window.run_notice import RunProgress
from flowergui.events import Finished, Stopped


@dataclass(frozen=True, slots=True)
class RunHandover:
    """A run that goes on training while its window changes, and what is seen of it; `shown` is None
    before it has begun to train."""

    ongoing: OngoingRun
    shown: ShownRun | None
    status: RunStatus
    progress: RunProgress


@dataclass(frozen=True, slots=True)
class Handover:
    """The window's session; the folder that is open or being scanned, "" for none; how its last run
    ended, None if there was none, it failed, or it still goes; the paths of the photos that it
    shows predictions for; the settings that the user has not changed; the folder of the run
    elsewhere that it follows, "" for none; the run that goes, None for none; and the messages of
    the session, newest first."""

    session: Session
    folder: str
    ended: Finished | Stopped | None
    photos: tuple[str, ...]
    untouched: dict[str, Any]
    watched: str = ""
    run: RunHandover | None = None
    messages: tuple[LogEntry, ...] = ()
