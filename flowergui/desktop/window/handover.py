"""What a window leaves to the one that takes its place in another language."""

from dataclasses import dataclass

from flowergui.desktop.session import Session
from flowergui.events import Finished, Stopped


@dataclass(frozen=True, slots=True)
class Handover:
    """The window's session, while no run goes; how its last run ended, None if there was none or it
    failed; the paths of the photos that it shows predictions for; and the folder of the run
    elsewhere that it follows, "" for none."""

    session: Session
    ended: Finished | Stopped | None
    photos: tuple[str, ...]
    watched: str = ""
