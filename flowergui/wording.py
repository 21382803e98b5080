"""Sentences about events that the window and the command line both show."""

from flowergui.events import CacheState, FeatureCacheStatus
from flowergui.facts import Speedup, SpeedupKind
from flowergui.text import file_size, rough_duration, tr


def feature_cache_text(event: FeatureCacheStatus) -> str:
    """Of the layers that are frozen at the beginning, in a sentence or two."""
    if not event.where:
        return f"The frozen layers run for every photo in every epoch. {event.why_not}"
    views = f"each of {event.views} views of a photo" if event.views > 1 else "each photo"
    where = "memory" if event.where == "memory" else "a file"
    return f"The frozen layers run once for {views} ({file_size(event.size)} in {where})."


def speedup_text(speedup: Speedup) -> str:
    """What would take less time, and how long."""
    duration = rough_duration(speedup.seconds)
    match speedup.kind:
        case SpeedupKind.PROGRESSIVE_RESIZING:
            return tr("Faster: progressive resizing ({duration}).", duration=duration)
        case SpeedupKind.CACHED_AUGMENTATIONS:
            return tr("Faster: cached augmentations ({duration}).", duration=duration)
        case SpeedupKind.CONSTANT_SIZE:
            return tr("Faster: one training size ({duration}).", duration=duration)


def speedup_explanation(speedup: Speedup) -> str:
    """How it saves time."""
    values = dict(speedup.values)
    match speedup.kind:
        case SpeedupKind.PROGRESSIVE_RESIZING:
            return tr(
                "Training starts with images of {size} px, which grow with the epochs. Small "
                "images train several times faster, and most networks become about as accurate.",
                size=values["first_training_size"],
            )
        case SpeedupKind.CACHED_AUGMENTATIONS:
            return tr(
                "Training alternates between {count} augmented versions of each image, instead of "
                "a new one in each epoch. The frozen layers process each version once, so later "
                "epochs take a moment.",
                count=values["cached_views"],
            )
        case SpeedupKind.CONSTANT_SIZE:
            return tr(
                "All epochs train on images of one size. The frozen layers process each image "
                "once, so later epochs take a moment."
            )


def photo_cache_text(event: CacheState) -> str:
    """Of decoded photos."""
    removed = (
        f"{file_size(event.removed)} of decoded photos were removed. " if event.removed else ""
    )
    if not event.photos:
        return f"{removed}No decoded photos are kept in {event.folder}."
    count = "1 decoded photo is" if event.photos == 1 else f"{event.photos:,} decoded photos are"
    return f"{removed}{count} kept in {event.folder} ({file_size(event.size)})."
