"""What a resumed run shall take up that was not there when it began."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resumption:
    """Wishes that are no settings of the run itself. Without any, it goes on exactly as it would
    have gone."""

    new_photos: bool = False
    """Take in photos of known classes that have come since; a part of them is held back."""
    new_classes: bool = False
    """Learn the classes that have come since: the head grows, and keeps what it knows."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Classes whose folders are called otherwise now: pairs of the old and the new name."""
    restart_schedule: bool = False
    """Begin the learning rate's schedule anew, for the epochs that are left."""


AS_BEFORE = Resumption()
