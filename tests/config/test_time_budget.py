"""How many epochs fit into a time budget."""

import pytest

from flowergui.config.time_budget import (
    MAX_FINE_TUNING_EPOCHS,
    PlannedEpochs,
    epochs_in_budget,
)


@pytest.mark.parametrize(
    ("minutes", "spent", "done", "epoch", "planned"),
    [
        (5, 20, 1, 40, PlannedEpochs(8)),
        (5, 20, 1, 50, PlannedEpochs(7, 0.6)),
        (5, 20, 1, 38, PlannedEpochs(9, 14 / 38)),
        (1, 20, 1, 210, PlannedEpochs(1)),  # less than a fifth of an epoch
        (1, 70, 3, 10, PlannedEpochs(3)),  # it is over
        (20, 5, 1, 0.1, PlannedEpochs(MAX_FINE_TUNING_EPOCHS + 1)),
        (20, 5, 60, 0.1, PlannedEpochs(60)),  # a resumed run that has done more already
    ],
)
def test_epochs_in_budget(
    minutes: float, spent: float, done: int, epoch: float, planned: PlannedEpochs
) -> None:
    found = epochs_in_budget(minutes, spent, done, epoch)
    assert found.epochs == planned.epochs
    assert found.last_share == pytest.approx(planned.last_share)
