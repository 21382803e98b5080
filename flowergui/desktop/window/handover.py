"""What a window leaves to the one that takes its place in another language."""

from dataclasses import dataclass

from flowergui.desktop.session import Session
from flowergui.events import Finished, Stopped


@dataclass(frozen=True, slots=True)
class Handover:
    """The window's session, while no run goes; how its last run ended, None if there was none or it
    failed; and the paths of the photos that it shows predictions for."""

    session: Session
    ended: Finished | Stopped | None
    photos: tuple[str, ...]
