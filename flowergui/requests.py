"""What a frontend may ask of a run, and of an export."""

from dataclasses import dataclass


@dataclass(slots=True)
class LiveRequests:
    """Requests to a run that trains. They are applied before its next batch, or before
    the next step of the fit of the head.

    Each attribute is replaced as a whole, never changed in place, so that one thread may write
    while another reads. The run resets all but `stop` when it has applied them.
    """

    frozen: tuple[str, ...] | None = None
    """Names or patterns of the parameters to freeze, all others train; None changes nothing."""
    unfreeze_schedule: tuple[str, ...] | None = None
    """From which epochs on frozen layers train, as in the recipe; it replaces what the recipe says
    of that. None changes nothing."""
    learning_rate: float | None = None
    """A new base learning rate of the schedule; None changes nothing."""
    save: bool = False
    """Write last.pth before the next batch."""
    stop: bool = False
    """Save, and end the run before the next batch."""

    def take(self) -> "LiveRequests":
        """The requests so far; all but `stop` are reset."""
        taken = LiveRequests()
        taken.stop = self.stop
        taken.frozen, self.frozen = self.frozen, None
        taken.unfreeze_schedule, self.unfreeze_schedule = self.unfreeze_schedule, None
        taken.learning_rate, self.learning_rate = self.learning_rate, None
        taken.save, self.save = self.save, False
        return taken


NO_REQUESTS = LiveRequests()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What another process, or another machine, may ask of a run, by a file in its folder."""

    stop: bool = False
    """Save, and end the run before the next batch."""
    save: bool = False
    """Write last.pth before the next batch."""


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """Options of resuming that are no settings of the run. Without any, it continues exactly as if
    it had never been stopped."""

    new_photos: bool = False
    """Add new images of known classes; a part of them joins the validation set."""
    new_classes: bool = False
    """Add new classes: the head gets outputs for them, and existing classes keep their weights."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Classes whose folders were renamed: pairs of the old and the new name."""
    restart_schedule: bool = False
    """Restart the learning-rate schedule, for the epochs that are left."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What a file of an exported network holds, besides what its suffix says."""

    with_classes: bool = False
    """Keep classes, network and image size in a .pth file too, so that it predicts here."""
    float16: bool = False
    """Halve the size: the weights in float16."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What a job on a cluster gets."""

    nodes: int = 1
    """Machines."""
    gpus: int = 1
    """GPUs of each machine; 0 trains on its CPU."""
    hours: int = 8
    """Longest time of a turn under SLURM, in hours; a job that needs more is queued again."""
    photos: str = ""
    """The folder of images there; "" if it is named when the job is submitted."""

    @property
    def processes(self) -> int:
        """Processes on each machine: one for each GPU."""
        return max(self.gpus, 1)


UNCHANGED = ResumeOptions()
"""No options."""

DEFAULT_EXPORT = ExportOptions()

DEFAULT_JOB = JobOptions()
