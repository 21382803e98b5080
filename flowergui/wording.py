"""Sentences about events that the window and the command line both show."""

from flowergui.events import CacheState, FeatureCacheStatus
from flowergui.text import file_size


def feature_cache_text(event: FeatureCacheStatus) -> str:
    """Of the layers that are frozen at the beginning, in a sentence or two."""
    if not event.where:
        return f"The frozen layers run for every photo in every epoch. {event.why_not}"
    views = f"each of {event.views} views of a photo" if event.views > 1 else "each photo"
    where = "memory" if event.where == "memory" else "a file"
    return f"The frozen layers run once for {views} ({file_size(event.size)} in {where})."


def photo_cache_text(event: CacheState) -> str:
    """Of decoded photos."""
    removed = (
        f"{file_size(event.removed)} of decoded photos were removed. " if event.removed else ""
    )
    if not event.photos:
        return f"{removed}No decoded photos are kept in {event.folder}."
    count = "1 decoded photo is" if event.photos == 1 else f"{event.photos:,} decoded photos are"
    return f"{removed}{count} kept in {event.folder} ({file_size(event.size)})."
