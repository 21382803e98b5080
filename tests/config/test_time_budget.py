"""How many epochs fit into a time budget."""

import pytest

from flowergui.config.time_budget import (
    MAX_FINE_TUNING_EPOCHS,
    EpochCost,
    PlannedEpochs,
    epochs_in_budget,
)


@pytest.mark.parametrize(
    ("minutes", "spent", "done", "cost", "planned"),
    [
        (5, 20, 1, EpochCost(20, 40, 0), PlannedEpochs(8)),
        (5, 20, 1, EpochCost(20, 50, 0), PlannedEpochs(7, 0.6)),
        (5, 20, 1, EpochCost(20, 38, 0), PlannedEpochs(9, 14 / 38)),
        (5, 20, 1, EpochCost(20, 40, 10), PlannedEpochs(7, 0.5)),  # all of the validation
        (1, 20, 1, EpochCost(20, 210, 0), PlannedEpochs(1)),  # four batches
        (1, 20, 1, EpochCost(200, 210, 30), PlannedEpochs(2, 10 / 210)),
        (1, 70, 3, EpochCost(20, 10, 1), PlannedEpochs(3)),  # it is over
        (5, 100, 1, EpochCost(20, 10, 0, 20, 3), PlannedEpochs(15)),  # all is cached before the end
        (5, 100, 1, EpochCost(20, 10, 0, 100, 3), PlannedEpochs(2)),  # only one more version is
        (5, 185, 1, EpochCost(20, 10, 0, 110, 3), PlannedEpochs(2, 0.5)),
        (5, 200, 1, EpochCost(20, 10, 0, 150, 3), PlannedEpochs(1)),
        (20, 5, 1, EpochCost(20, 0.1, 0), PlannedEpochs(MAX_FINE_TUNING_EPOCHS + 1)),
        (20, 5, 60, EpochCost(20, 0.1, 0), PlannedEpochs(60)),  # a resumed run did more already
    ],
)
def test_epochs_in_budget(
    minutes: float, spent: float, done: int, cost: EpochCost, planned: PlannedEpochs
) -> None:
    found = epochs_in_budget(minutes, spent, done, cost, MAX_FINE_TUNING_EPOCHS + 1)
    assert found.epochs == planned.epochs
    assert found.last_share == pytest.approx(planned.last_share)
