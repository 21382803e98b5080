"""How many epochs fit into a time budget."""

import pytest

from flowergui.config.time_budget import MAX_FINE_TUNING_EPOCHS, epochs_in_budget


@pytest.mark.parametrize(
    ("minutes", "spent", "done", "epoch", "epochs"),
    [
        (5, 20, 1, 40, 8),  # 300 s and 5% are 315 s: seven of 40 s after the first 20
        (1, 20, 1, 50, 1),  # none fits any more
        (1, 70, 3, 10, 3),  # it is over
        (20, 5, 1, 0.1, MAX_FINE_TUNING_EPOCHS + 1),
        (20, 5, 60, 0.1, 60),  # a resumed run that has done more already
    ],
)
def test_epochs_in_budget(
    minutes: float, spent: float, done: int, epoch: float, epochs: int
) -> None:
    assert epochs_in_budget(minutes, spent, done, epoch) == epochs
