"""Progressive resizing: which size of images an epoch trains on."""

GROWING_SHARE = 0.8
"""The share of a run's epochs in which the images grow."""

GRID = 32
"""Images grow in steps of so many pixels: most networks halve an image five times, and work
fastest where that leaves nothing over (a step of resnet18 at 128 px takes 1.06 times as long as
one at 112 px)."""


def largest_training_size(training_size: int, image_size: int) -> int:
    """The side in pixels of the largest training images: `training_size` (0: `image_size`), but no
    more than the `image_size` of validation and predictions. Smaller ones compensate for random
    crops, which make objects look larger than in validation (Touvron et al. 2019, arXiv
    1906.06423)."""
    return min(training_size or image_size, image_size)


def training_size(first: int, last: int, epoch: int, epochs: int) -> int:
    """The side in pixels of the images that `epoch` (from 1) of `epochs` trains on. It grows from
    `first` to `last` (progressive resizing; Howard 2018, fast.ai's DAWNBench entry; Tan and Le
    2021, arXiv 2104.00298); it is `last` all the time where `first` is 0 or not smaller."""
    if not 0 < first < last:
        return last
    share = min((epoch - 1) / max(GROWING_SHARE * epochs, 1), 1.0)
    return min(first + round((last - first) * share / GRID) * GRID, last)
