"""What a face may change while a run goes."""

from dataclasses import dataclass


@dataclass(slots=True)
class LiveRequests:
    """The wishes of a face; the trainer reads them before each batch and tells what changed.

    Each attribute is replaced whole, never edited in place, so that one thread may write
    while another reads. `save` goes back to False when the trainer has taken it up.
    """

    frozen: tuple[str, ...] | None = None
    """Names or patterns of the parameters to freeze; None leaves what holds now."""
    learning_rate: float | None = None
    """A new base learning rate for the schedule; None leaves what holds now."""
    save: bool = False
    """Write last.pth before the next batch."""
    stop: bool = False
    """Save, and end the run before the next batch."""


@dataclass(frozen=True, slots=True)
class ResumeOptions:
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


UNCHANGED = ResumeOptions()
