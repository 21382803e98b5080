"""The curves in sentences."""

import numpy as np
import pytest

from flowergui.desktop.plots.column_buffer import ColumnBuffer
from flowergui.desktop.plots.curve_summary import curve_summary, trend
from flowergui.desktop.plots.metric import LOSS


@pytest.mark.parametrize(
    ("curve", "goes"),
    [
        ([], 0),
        ([np.nan, np.nan], 0),
        ([2.0, 1.5, 1.2, 1.0], -1),
        ([0.1, 0.4, 0.7, 0.9], 1),
        ([2.0, 0.5, 0.5, 0.51, 0.5, 0.5, 0.5, 0.5], 0),
        ([2.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.5], 1),
    ],
)
def test_where_a_curve_goes(curve, goes):
    assert trend(np.array(curve)) == goes


def test_a_run_of_unknown_length_without_a_validation_set():
    batches = ColumnBuffer(["step"], ["loss_smooth"])
    epochs = ColumnBuffer(["epoch", "best_epoch", "val_loss"])
    assert curve_summary(LOSS, batches, epochs, 0) == ""
    batches.append(step=[1, 2_000], loss_smooth=[2.0, 1.0])
    said = "Training 1.000. Step 2,000. The curve is falling."
    assert curve_summary(LOSS, batches, epochs, 0) == said
