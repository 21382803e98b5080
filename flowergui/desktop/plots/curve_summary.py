"""What the curves of a run show, in sentences: for those who do not see them."""

import numpy as np

from flowergui.desktop.plots.column_buffer import ColumnBuffer, Numbers
from flowergui.desktop.plots.metric import ACCURACY, Metric
from flowergui.text import N_, sentences, tr

RECENT_SHARE = 0.25
"""The part of a run, its newest, that says where a curve goes."""
LEVEL_SHARE = 0.05
"""A curve that moves by less than this share of its height there is level."""
TRENDS = {
    -1: N_("The curve is falling."),
    0: N_("The curve is level."),
    1: N_("The curve is rising."),
}


def curve_summary(metric: Metric, batches: ColumnBuffer, epochs: ColumnBuffer, steps: int) -> str:
    """The newest values, how far a run of so many `steps` is (0: nobody knows), where the curve
    goes, and the best epoch; "" before the first batch."""
    if not batches.length:
        return ""
    curve, validated = batches[f"{metric.name}_smooth"], epochs[f"val_{metric.name}"]
    measured = validated[np.isfinite(validated)]
    training = metric.text(float(curve[-1]))
    step = f"{batches['step'][-1]:,.0f}"
    parts = [
        tr(
            "Training {training}, validation {validation}.",
            training=training,
            validation=metric.text(float(measured[-1])),
        )
        if measured.size
        else tr("Training {training}.", training=training),
        tr("Step {step} of {steps}.", step=step, steps=f"{steps:,}")
        if steps >= batches["step"][-1]
        else tr("Step {step}.", step=step),
        tr(TRENDS[trend(curve)]),
    ]
    best = np.flatnonzero(epochs["epoch"] == epochs["best_epoch"][-1:])[-1:]
    if metric is ACCURACY and best.size and np.isfinite(validated[best[0]]):
        value, epoch = validated[best[0]], epochs["epoch"][best[0]]
        parts.append(
            tr(
                "Best {accuracy} in epoch {epoch}.",
                accuracy=metric.text(float(value)),
                epoch=f"{epoch:,.0f}",
            )
        )
    return sentences(*parts)


def trend(curve: Numbers) -> int:
    """Where a curve goes in its newest part: 1 up, -1 down, 0 neither."""
    finite = curve[np.isfinite(curve)]
    if finite.size < 2:
        return 0
    height = float(finite.max() - finite.min())
    recent = finite[-max(2, round(RECENT_SHARE * finite.size)) :]
    moved = float(recent[-1] - recent[0])
    return 0 if abs(moved) <= LEVEL_SHARE * height else int(np.sign(moved))
