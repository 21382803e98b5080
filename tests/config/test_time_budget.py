"""How many epochs fit into a time budget."""

import pytest

from flowergui.config.time_budget import (
    EpochCost,
    PlannedEpochs,
    epochs_in_budget,
    training_size_in_budget,
)

MOST_EPOCHS = 41


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
        (20, 5, 1, EpochCost(20, 0.1, 0), PlannedEpochs(MOST_EPOCHS)),
        (20, 5, 60, EpochCost(20, 0.1, 0), PlannedEpochs(60)),  # a resumed run did more already
    ],
)
def test_epochs_in_budget(
    minutes: float, spent: float, done: int, cost: EpochCost, planned: PlannedEpochs
) -> None:
    found = epochs_in_budget(minutes, spent, done, cost, MOST_EPOCHS)
    assert found.epochs == planned.epochs
    assert found.last_share == pytest.approx(planned.last_share)


@pytest.mark.parametrize(
    ("image_size", "seconds", "training_size"),
    [
        (288, 30 * 10 * (256 / 192) ** 2, 256),
        (288, 30 * 10 * (256 / 192) ** 2 - 1, 224),
        (288, 30 * 10 * (224 / 192) ** 2, 224),
        (288, 30 * 10, 192),
        (288, 10**6, 256),  # not the size of predictions
        (224, 10**6, 192),
        (128, 10**6, 192),
    ],
)
def test_images_are_larger_where_the_budget_has_room(
    image_size: int, seconds: float, training_size: int
) -> None:
    assert training_size_in_budget(192, image_size, seconds, 10.0) == training_size
