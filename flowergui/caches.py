"""What is said of what is computed once and kept."""

from flowergui.events import CacheState, FeatureCacheStatus


def features_in_words(event: FeatureCacheStatus) -> str:
    """Of the layers that are frozen at the beginning, in a sentence or two."""
    if not event.where:
        return f"The frozen layers run for every photo in every epoch. {event.why_not}"
    views = f"each of {event.views} views of a photo" if event.views > 1 else "each photo"
    where = "memory" if event.where == "memory" else "a file"
    return f"The frozen layers run once for {views} ({size_in_words(event.size)} in {where})."


def photos_in_words(event: CacheState) -> str:
    """Of decoded photos."""
    removed = (
        f"{size_in_words(event.removed)} of decoded photos were removed. " if event.removed else ""
    )
    if not event.photos:
        return f"{removed}No decoded photos are kept in {event.folder}."
    count = "1 decoded photo is" if event.photos == 1 else f"{event.photos:,} decoded photos are"
    return f"{removed}{count} kept in {event.folder} ({size_in_words(event.size)})."


def size_in_words(size: int) -> str:
    """Bytes: 12.3 MB, 1.2 GB."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
