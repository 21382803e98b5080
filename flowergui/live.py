"""What a face may change while a run goes."""

from dataclasses import dataclass


@dataclass(slots=True)
class Live:
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
