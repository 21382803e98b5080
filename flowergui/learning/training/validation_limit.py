"""How many images are validated within a time budget."""

from collections.abc import Iterator

from flowergui.config.time_budget import validation_images
from flowergui.events import Warned
from flowergui.learning.training.run import Run
from flowergui.text import tr


def limit_validation(run: Run, image_seconds: float) -> Iterator[Warned]:
    """Decides how many images are validated within the time budget, if there is one and an image
    takes so many seconds."""
    progress, count = run.progress, len(run.split.validation)
    if not run.recipe.minutes:
        return
    limit = run.world.from_rank_0(lambda: validation_images(run.recipe.minutes, image_seconds))
    if limit < count:
        progress.validation_images = limit
        yield Warned(
            tr(
                "To stay within the time budget, validation uses {limit} of the {count} "
                "validation images.",
                limit=f"{limit:,}",
                count=f"{count:,}",
            )
        )
