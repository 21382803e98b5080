"""How an estimate reads: how long a run would take."""

from flowergui.config.recipe import Recipe
from flowergui.events import Estimated
from flowergui.text import file_size, rough_duration, sentences, tr

MOMENT_SECONDS = 1.0
"""An epoch that takes less is said to take a moment."""


def estimate_text(estimate: Estimated, recipe: Recipe) -> str:
    """About 9:20 in all, 14 s an epoch."""
    if estimate.largest_batch < recipe.batch_size:
        return _memory_text(estimate.largest_batch, recipe.batch_size)
    return sentences(_time_text(estimate, recipe), _cache_text(estimate))


def _memory_text(fits: int, batch_size: int) -> str:
    if not fits:
        return tr(
            "Batch size {batch_size} may not fit in memory, nor may a single image.",
            batch_size=f"{batch_size:,}",
        )
    return tr(
        "Batch size {batch_size} may not fit in memory; try {fits}.",
        batch_size=f"{batch_size:,}",
        fits=f"{fits:,}",
    )


def _time_text(estimate: Estimated, recipe: Recipe) -> str:
    total, epoch = rough_duration(estimate.seconds), rough_duration(estimate.epoch)
    if recipe.epochs == 1:
        return tr("About {total} in all.", total=total)
    if estimate.first_epoch <= 2 * estimate.epoch:
        return tr("About {total} in all, {epoch} an epoch.", total=total, epoch=epoch)
    if estimate.epoch < MOMENT_SECONDS:
        return tr("About {total} in all; later epochs take a moment.", total=total)
    return tr("About {total} in all; later epochs take {epoch}.", total=total, epoch=epoch)


def _cache_text(estimate: Estimated) -> str:
    size = file_size(estimate.size)
    if estimate.where == "file":
        return tr("The feature cache takes {size} of disk space until the end.", size=size)
    if estimate.size and not estimate.where:
        return tr("Not enough space for the feature cache ({size}).", size=size)
    return ""
