"""How many epochs fit into the time that a run may take."""

TRAINING_FACTOR = 4.0
"""What training on an image costs, compared with computing its features for the fit of the head,
until it has been measured: forward, backward, and augmentation."""

TOLERANCE = 0.05
"""The share of its time by which a run may be too long."""

MAX_FINE_TUNING_EPOCHS = 40
"""Epochs after which a run ends although there is time left: more would only overfit."""


def epochs_in_budget(minutes: float, spent_seconds: float, done: int, epoch_seconds: float) -> int:
    """The number of epochs of a run that may take `minutes` of computing and has spent
    `spent_seconds` on its first `done` epochs (at least 1), if each of the others takes
    `epoch_seconds`."""
    left = 60 * minutes * (1 + TOLERANCE) - spent_seconds
    more = int(left / max(epoch_seconds, 1e-9)) if left > 0 else 0
    return done + min(more, max(MAX_FINE_TUNING_EPOCHS + 1 - done, 0))
