"""What goes wrong in a run: a loss or weights that are not finite, unreadable images, full disk and
memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import Event, FinalSaveFailed, SaveFailed, Warned
from flowergui.facts import Problem
from flowergui.learning.data import photo_check
from flowergui.learning.device import hardware
from flowergui.learning.device.distributed import OutOfMemoryOnAllRanksError
from flowergui.learning.training.model_state import NonFiniteError, NonFiniteLossError
from flowergui.learning.training.run import Run
from flowergui.requests import LiveRequests
from flowergui.store import archives
from flowergui.text import tr

MAX_ROLLBACKS = 3
"""How often a run is rolled back because it was not finite any more, before it fails."""

MAX_SHARE_UNREADABLE = 0.2
"""The share of a run's images that may become unreadable (deleted or damaged) before it fails. Of
more than MAX_CHECKED_FIRST images, which are not all opened before the run, those that never were
readable don't count."""


class OutOfMemoryError(FlowerError):
    """There was not enough memory for a batch. `on_all_ranks` is whether every process of the run
    raises this; else the others may wait for this one in the midst of a batch."""

    def __init__(self, message: str, *, hint: str = "", on_all_ranks: bool) -> None:
        super().__init__(message, hint=hint)
        self.on_all_ranks = on_all_ranks


def recover(run: Run, error: NonFiniteError) -> Iterator[Event]:
    """Rolls back to the newest checkpoint, with half the learning rate. Raises `error` if that is
    not wanted, was done too often, or if no checkpoint can be read."""
    yield from run.flush_best()  # the newest state that is known to be good
    if not run.recipe.recover or run.progress.returns >= MAX_ROLLBACKS:
        run.finish_saving()
        run.world.broadcast()  # torchrun ends all processes as soon as one has failed
        raise error
    yield from run.roll_back(error)
    yield from run.save()


def save_at_the_end(run: Run, live: LiveRequests) -> Iterator[Event]:
    """Saves what would be lost otherwise. If that fails, tries again as often as the frontend sets
    `live.save`."""
    while True:
        outcomes = run.save()
        yield from outcomes
        reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, SaveFailed)]
        if run.saved or not reasons or not run.model.is_finite():
            return
        live.save = False
        yield FinalSaveFailed(str(run.folder.path), reasons[-1])
        if not live.save:
            return
        live.save = False


def report_unreadable(run: Run, live: LiveRequests, failed: Sequence[Problem]) -> Iterator[Event]:
    """Warns of images that can't be read any more, of each once. Saves and raises FlowerError if
    there are too many: then a drive is gone rather than an image."""
    before = run.lost
    total = len(run.split.train) + len(run.split.validation)
    all_checked = total <= photo_check.MAX_CHECKED_FIRST
    for problem in failed:
        if problem.path not in run.unreadable:
            run.unreadable.add(problem.path)
            if all_checked or not archives.exists(Path(run.split.folder, problem.path)):
                run.lost += 1
            yield Warned(
                tr(
                    "Skipped an unreadable image ({count} so far): {reason}",
                    count=f"{len(run.unreadable):,}",
                    reason=problem.reason,
                )
            )
    # Each process looks at its own disk, and all of them give up together.
    if failed and run.world.any_rank(run.lost > max(before, MAX_SHARE_UNREADABLE * total)):
        lost, of = f"{run.lost:,}", f"{total:,}"
        reason = tr("{lost} of {total} images can't be read any more.", lost=lost, total=of)
        yield from give_up(run, live, reason)


def give_up(run: Run, live: LiveRequests, reason: str) -> Iterator[Event]:
    """Saves the run and raises FlowerError; `reason` is a sentence."""
    yield from save_at_the_end(run, live)
    run.world.broadcast()  # torchrun ends all processes as soon as one has failed
    message = (
        tr("{reason} The run was saved.", reason=reason)
        if run.saved
        else tr("{reason} The run could not be saved.", reason=reason)
    )
    hint = tr("Check that {folder} is still there, then resume.", folder=run.split.folder)
    raise FlowerError(message, hint=hint)


def non_finite_loss(run: Run, loss: float) -> NonFiniteLossError:
    """The error of a batch whose loss is NaN or infinite."""
    where = {"loss": loss, "epoch": run.progress.epoch, "batch": run.progress.batch + 1}
    if run.folder.newest() is not None:  # which a save that goes on has moved for a moment
        message = tr(
            "The loss became {loss} in epoch {epoch}, batch {batch}. The last save is in last.pth.",
            **where,
        )
    else:
        message = tr("The loss became {loss} in epoch {epoch}, batch {batch}.", **where)
    return NonFiniteLossError(message, loss=loss, hint=_steadier(run))


def require_finite(run: Run) -> None:
    """Raises NonFiniteError if steps made a weight or a statistic of batch normalization NaN or
    infinite. The loss does not tell: training does not look at those statistics."""
    if run.model.is_finite(trained=True):
        return
    where = {"epoch": run.progress.epoch, "batch": run.progress.batch}
    if run.folder.newest() is not None:  # which a save that goes on has moved for a moment
        message = tr(
            "Weights or statistics of batch normalization are NaN or infinite after epoch {epoch}, "
            "batch {batch}. The last save is in last.pth.",
            **where,
        )
    else:
        message = tr(
            "Weights or statistics of batch normalization are NaN or infinite after epoch {epoch}, "
            "batch {batch}.",
            **where,
        )
    raise NonFiniteError(message, hint=_steadier(run))


def _steadier(run: Run) -> str:
    """What keeps a run finite."""
    rate = f"{run.schedule.base:g}"
    if run.config.precision == "float32":
        return tr("Try a lower learning rate than {rate}.", rate=rate)
    return tr("Try a lower learning rate than {rate}, or float32.", rate=rate)


def not_validated(epoch: int, best_epoch: int) -> str:
    """The warning for an epoch whose validation images could not be read."""
    if best_epoch:
        return tr(
            "Validation skipped in epoch {epoch}: no validation image could be read. "
            "best.pth stays as it is.",
            epoch=epoch,
        )
    return tr(
        "Validation skipped in epoch {epoch}: no validation image could be read.", epoch=epoch
    )


@contextmanager
def report_out_of_memory(run: Run, *, smaller_batches_help: bool = True) -> Iterator[None]:
    """Raises OutOfMemoryError for what a device or the system raises when memory is full. It says
    that the run may begin again on all ranks, unless smaller batches would not help."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not hardware.out_of_memory(error):
            raise
        raise OutOfMemoryError(
            tr("There is not enough memory for this run."),
            hint=_less_memory(run) if smaller_batches_help else tr("Close other programs."),
            on_all_ranks=smaller_batches_help
            and (run.world.is_alone or isinstance(error, OutOfMemoryOnAllRanksError)),
        ) from error


def _less_memory(run: Run) -> str:
    """What makes a run need less memory. A run that is resumed keeps its batch size."""
    sizes = {"batch_size": run.recipe.batch_size, "image_size": run.config.image_size}
    if run.is_before_first_step and not run.is_resumed:
        return tr(
            "Lower the batch size ({batch_size}) or the image size ({image_size} px), or "
            "choose a smaller network.",
            **sizes,
        )
    return tr(
        "Close other programs and resume the run. If that does not help, start a new run with a "
        "smaller batch size ({batch_size}) or image size ({image_size} px).",
        **sizes,
    )
