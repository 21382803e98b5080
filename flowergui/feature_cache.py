"""What is said of the layers that are frozen at the beginning."""

from flowergui.events import FeatureCache


def in_words(event: FeatureCache) -> str:
    """In a sentence or two, in the window and on the command line."""
    if not event.where:
        return f"The frozen layers run for every photo in every epoch. {event.why_not}"
    views = f"each of {event.views} views of a photo" if event.views > 1 else "each photo"
    size = f"{event.size / 1e9:,.1f} GB" if event.size >= 1e9 else f"{event.size / 1e6:,.1f} MB"
    where = "memory" if event.where == "memory" else "a file"
    return f"The frozen layers run once for {views} ({size} in {where})."
