"""What the plots of a run show: loss and accuracy."""

from dataclasses import dataclass

import numpy as np

from flowergui.text import N_, tr


@dataclass(frozen=True, slots=True)
class Metric:
    """What a pane shows: `name` is its column, "val_" + name its validation column.

    `scale` multiplies for the axis only; `low` and `high` bound the axis in unscaled units.
    """

    name: str
    title: str
    title_with_unit: str
    scale: float
    low: float
    high: float
    template: str

    def text(self, value: float) -> str:
        """The value as people read it: "0.123", "86.3%"."""
        if not np.isfinite(value):
            return tr("not a number")
        if abs(value * self.scale) >= 1e4:  # a loss that runs away
            return f"{value * self.scale:.1e}"
        return self.template.format(value * self.scale)


LOSS = Metric("loss", N_("Loss"), N_("Loss"), 1.0, 0.0, np.inf, "{:.3f}")
ACCURACY = Metric("accuracy", N_("Accuracy"), N_("Accuracy, %"), 100.0, 0.0, 1.0, "{:.1f}%")
