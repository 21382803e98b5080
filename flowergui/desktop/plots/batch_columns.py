"""Batches as the columns that plots draw."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from flowergui.desktop.plots.column_buffer import Numbers, ema
from flowergui.events import BatchDone

NOTHING: Numbers = np.empty(0)


@dataclass(frozen=True, slots=True)
class BatchColumns:
    """What batches came to, one value each: `loss` and `accuracy` with NaN for what is not finite,
    and both smoothed over `span` batches."""

    span: float
    step: Numbers
    epoch: Numbers
    rate: Numbers
    loss: Numbers
    accuracy: Numbers
    loss_smooth: Numbers
    accuracy_smooth: Numbers

    @classmethod
    def of(
        cls,
        batches: Iterable[BatchDone],
        span: float = 0.0,
        loss_before: Numbers = NOTHING,
        accuracy_before: Numbers = NOTHING,
    ) -> "BatchColumns":
        """Columns of `batches`, which follow on those averages. Without a `span`, that is about
        half an epoch: calm on long epochs, and still alive on short ones. Touches no widget, and
        keeps no batch: millions are gone through beside the window's thread."""
        step, epoch, rate, losses, accuracies = (array("d") for _ in range(5))
        for batch in batches:
            span = span or min(max(batch.batches / 2, 10.0), 500.0)
            step.append(batch.step)
            epoch.append(batch.epoch)
            rate.append(batch.learning_rate)
            losses.append(batch.loss)
            accuracies.append(batch.accuracy)
        loss, accuracy = finite(losses), finite(accuracies)
        return cls(
            span=span,
            step=np.asarray(step),
            epoch=np.asarray(epoch),
            rate=np.asarray(rate),
            loss=loss,
            accuracy=accuracy,
            loss_smooth=ema(loss, span, loss_before),
            accuracy_smooth=ema(accuracy, span, accuracy_before),
        )

    def columns(self) -> dict[str, Numbers]:
        """The columns by their names."""
        names = "step", "epoch", "rate", "loss", "accuracy", "loss_smooth", "accuracy_smooth"
        return {name: getattr(self, name) for name in names}


def finite(values: Sequence[float]) -> Numbers:
    """The values with NaN, which plots leave out, for what is infinite."""
    numbers = np.array(values, dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers
