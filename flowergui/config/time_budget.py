"""How many epochs fit into the time that a run may take."""

from dataclasses import dataclass

from flowergui.config.resizing import GRID

TRAINING_FACTOR = 4.0
"""What training on an image costs, compared with computing its features for the fit of the head,
until it has been measured: forward, backward, and augmentation."""

MIN_BATCHES = 5
"""Batches of an epoch for which it is worth starting, if there is no time for more of them."""

VALIDATION_SHARE = 0.12
"""The share of the time that the first validation may take. A large validation set is measured on
some of its images, always the same ones."""

MAX_SHARE_OF_BUDGET = 0.77
"""The share of the time in which features are computed at most: for the fit of the head, which then
sees the images that were reached, or for a feature cache, which is given up if it takes longer."""

MAX_HEAD_EPOCHS = 60
"""Epochs after which a run ends although there is time left, if it trains a head and the other
layers stay frozen: more would only overfit (squeezenet1_1 on 1,000 images, 500 others judge: 82.8%
after 60 epochs, 80.4% after 332). Fine-tuning all layers has no such limit (efficientnet_lite0 on
200 images, 500 others judge, two splits: 87.5% after 40 epochs, 87.9% after 20 minutes of them)."""

MIN_EPOCHS_OF_LARGER_IMAGES = 30
"""Fine-tuning sees larger images than those of the preset where the time budget has room for so
many epochs of them (efficientnet_lite0, 1,000 images, 500 others judge, two splits: 93.1% after 35
epochs of 256 px, 91.5% after 40 of 192 px)."""

LARGEST_SHARE = 8 / 9
"""Their side at most, as a share of the image size of predictions (see `largest_training_size`)."""


@dataclass(frozen=True, slots=True)
class PlannedEpochs:
    """A number of epochs, and the share of the last one (above 0, up to 1) that there is time
    for."""

    epochs: int
    last_share: float = 1.0


@dataclass(frozen=True, slots=True)
class EpochCost:
    """An epoch's `batches`, and the seconds that it takes to train on all of them and to validate.
    The next `caching_epochs` take `caching` seconds more, in which features are cached."""

    batches: int
    training: float
    validation: float
    caching: float = 0.0
    caching_epochs: int = 0


def epochs_in_budget(
    minutes: float, spent_seconds: float, done: int, cost: EpochCost, most_epochs: int
) -> PlannedEpochs:
    """The epochs of a run that may take `minutes` of computing and has spent `spent_seconds` on its
    first `done` epochs, if each of the others costs `cost`: `most_epochs` at most."""
    left = max(60 * minutes - spent_seconds, 0.0)
    most = max(most_epochs - done, 0)
    each = max(cost.training + cost.validation, 1e-9)
    whole = min(int(left / (each + cost.caching)), cost.caching_epochs)
    left -= whole * (each + cost.caching)
    if whole < cost.caching_epochs:
        left -= cost.caching  # before the batches of the next one
    else:
        more = int(left / each)
        whole, left = whole + more, left - more * each
    if whole >= most:
        return PlannedEpochs(done + most)
    share = (left - cost.validation) / max(cost.training, 1e-9)
    if share * cost.batches < MIN_BATCHES:
        return PlannedEpochs(done + whole)
    return PlannedEpochs(done + whole + 1, min(share, 1.0))


def validation_images(minutes: float, image_seconds: float) -> int:
    """How many images can be validated within a time budget, if each takes `image_seconds`."""
    return max(round(VALIDATION_SHARE * 60 * minutes / max(image_seconds, 1e-9)), 1)


def training_size_in_budget(
    size: int, image_size: int, seconds: float, epoch_seconds: float
) -> int:
    """The side in pixels of the training images: the largest, from `size` on in steps of GRID, of
    which MIN_EPOCHS_OF_LARGER_IMAGES fit into `seconds`, if an epoch of `size` px takes
    `epoch_seconds`. That is proportional to the area. Predictions see images of `image_size` px."""
    largest = int(LARGEST_SHARE * image_size) // GRID * GRID
    for larger in range(largest, size, -GRID):
        if MIN_EPOCHS_OF_LARGER_IMAGES * epoch_seconds * (larger / size) ** 2 <= seconds:
            return larger
    return size
