"""Batches as arrays, which plots draw."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from flowergui.desktop.plots.column_buffer import Numbers, ema
from flowergui.events import BatchDone

NOTHING: Numbers = np.empty(0)


@dataclass(frozen=True, slots=True)
class BatchColumns:
    """One value for each batch: `loss` and `accuracy`, with NaN for values that are not finite, and
    their exponential moving averages over `span` batches."""

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
        """Converts `batches`; their averages continue those before. Without a `span`, it is about
        half an epoch, from 10 to 500 batches. It uses no widget and keeps no batch, so that
        millions can be converted in another thread."""
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
    """The values as an array, with NaN, which plots leave out, for infinite ones."""
    numbers = np.array(values, dtype=np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers
