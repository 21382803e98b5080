"""How many epochs fit into the time that a run may take."""

from dataclasses import dataclass

TRAINING_FACTOR = 4.0
"""What training on an image costs, compared with computing its features for the fit of the head,
until it has been measured: forward, backward, and augmentation."""

MIN_SHARE_OF_EPOCH = 0.2
"""The share of an epoch from which on it is worth starting."""

MAX_FINE_TUNING_EPOCHS = 40
"""Epochs after which a run ends although there is time left: more would only overfit."""


@dataclass(frozen=True, slots=True)
class PlannedEpochs:
    """A number of epochs, and the share of the last one (above 0, up to 1) that there is time
    for."""

    epochs: int
    last_share: float = 1.0


def epochs_in_budget(
    minutes: float, spent_seconds: float, done: int, epoch_seconds: float
) -> PlannedEpochs:
    """The epochs of a run that may take `minutes` of computing and has spent `spent_seconds` on its
    first `done` epochs (at least 1), if each of the others takes `epoch_seconds`."""
    more = max(60 * minutes - spent_seconds, 0.0) / max(epoch_seconds, 1e-9)
    most = max(MAX_FINE_TUNING_EPOCHS + 1 - done, 0)
    if more >= most:
        return PlannedEpochs(done + most)
    share = more - int(more)
    if share < MIN_SHARE_OF_EPOCH:
        return PlannedEpochs(done + int(more))
    return PlannedEpochs(done + int(more) + 1, share)
