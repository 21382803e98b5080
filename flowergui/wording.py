"""Sentences about events that the window and the command line both show."""

from collections.abc import Sequence
from pathlib import Path

from flowergui.events import (
    CacheState,
    CopiesRemoved,
    CopyFailed,
    DeviceNoticed,
    FeatureCacheStatus,
    HeadFitted,
    LabelCorrected,
    LearningCurveEstimated,
    NetworkFailed,
    NetworksCompared,
    RolledBack,
    RunStarted,
    RunWatched,
    SortedIntoFolders,
)
from flowergui.facts import (
    UNSURE_FOLDER,
    DeviceNotice,
    Problem,
    Speedup,
    SpeedupKind,
    WhyNotCached,
)
from flowergui.text import (
    duration,
    file_size,
    fine_percent,
    number,
    one_line,
    percent,
    rough_duration,
    sentences,
    tr,
    trn,
)

MIN_GAIN = 0.01
"""More images are said to help from this gain in accuracy on."""

HARDLY_ANY_GAIN = 0.02
"""More images are said to be of no help where the 95% interval of the gain ends below this."""

FASTER = 1.05
"""From this speedup on, a precision is called faster than the other one."""


def problem_path(problem: Problem) -> str:
    """What was left out: a path and, where it stands for several, how many more there are."""
    path, more = one_line(problem.path), problem.count - 1
    return (
        trn("{path} and {count} more", "{path} and {count} more", more, path=path) if more else path
    )


def left_out_text(problem: Problem) -> str:
    """What was left out, and why."""
    return tr("{path}: {reason}", path=problem_path(problem), reason=problem.reason)


def sorted_into_folders_text(event: SortedIntoFolders) -> str:
    """How many images were copied, and where to."""
    copied = trn(
        "{count} image was copied into a folder of its class in {folder}.",
        "{count} images were copied into folders of their classes in {folder}.",
        event.copied,
        folder=event.folder,
    )
    more = [copied]
    if event.unsure:
        more.append(
            trn(
                "{count} of them is in the folder {name}.",
                "{count} of them are in the folder {name}.",
                event.unsure,
                name=UNSURE_FOLDER,
            )
        )
    if event.failed:
        more.append(
            trn("{count} could not be copied.", "{count} could not be copied.", event.failed)
        )
    if event.stopped:
        more.append(tr("Stopped before the others."))
    return sentences(*more)


def copy_failed_text(event: CopyFailed) -> str:
    """Why an image was not copied."""
    return tr("{path} could not be copied: {reason}.", path=event.path, reason=event.reason)


def copies_removed_text(event: CopiesRemoved) -> str:
    """How many copies were removed, how many were kept, and how many could not be removed."""
    said = [trn("{count} copy was removed.", "{count} copies were removed.", event.removed)]
    if event.kept:
        said.append(
            trn(
                "{count} was changed since and stays, for example {path}.",
                "{count} were changed since and stay, for example {path}.",
                len(event.kept),
                path=event.kept[0].path,
            )
        )
    if event.failed:
        said.append(
            trn(
                "{count} could not be removed ({path}: {reason}).",
                "{count} could not be removed, for example {path} ({reason}).",
                len(event.failed),
                path=event.failed[0].path,
                reason=event.failed[0].reason,
            )
        )
    return sentences(*said)


def label_corrected_text(event: LabelCorrected) -> str:
    """Where an image was moved."""
    name, folder = Path(event.path).name, Path(event.moved_to).parent
    if event.new_label:
        return tr("{name} is in {folder} now.", name=name, folder=folder)
    return tr("{name} was left out of the dataset: it is in {folder}.", name=name, folder=folder)


def feature_cache_text(event: FeatureCacheStatus) -> str:
    """Where the output of the frozen layers is cached, or why it is not."""
    if event.why_not is not None:
        return _why_not_cached(event.why_not, event.size)
    size = file_size(event.size)
    if event.where == "memory":
        return trn(
            "Feature cache: the frozen layers run once for each image ({size} in memory).",
            "Feature cache: the frozen layers run once for each of {count} augmented versions of "
            "an image ({size} in memory).",
            event.views,
            size=size,
        )
    return trn(
        "Feature cache: the frozen layers run once for each image ({size} on disk).",
        "Feature cache: the frozen layers run once for each of {count} augmented versions of an "
        "image ({size} on disk).",
        event.views,
        size=size,
    )


def _why_not_cached(reason: WhyNotCached, size: int) -> str:
    match reason:
        case WhyNotCached.SWITCHED_OFF:
            return tr(
                "The feature cache is off, so the frozen layers run for every image in every epoch."
            )
        case WhyNotCached.MIXED_IMAGES:
            return tr(
                "Features can't be cached with MixUp or CutMix, which mix other images in every "
                "batch: the frozen layers run for every image in every epoch."
            )
        case WhyNotCached.PROGRESSIVE_RESIZING:
            return tr(
                "Features can't be cached with progressive resizing: the frozen layers run for "
                "every image in every epoch."
            )
        case WhyNotCached.RANDOM_AUGMENTATION:
            return tr(
                "Features can't be cached while augmentation is random: the frozen layers run for "
                "every image in every epoch. Set Cached augmentations to speed up later epochs."
            )
        case WhyNotCached.NO_SPACE:
            return tr(
                "Not enough space for the feature cache ({size}): the frozen layers run for every "
                "image in every epoch.",
                size=file_size(size),
            )
        case WhyNotCached.NO_TIME:
            return tr(
                "The time budget is too short for the feature cache: the frozen layers run for "
                "every image that there is time for."
            )


def device_notice_text(event: DeviceNoticed) -> str:
    """What is wrong with a device; the command that changes it stands in the event."""
    match event.kind:
        case DeviceNotice.TORCH_WITHOUT_CUDA:
            return tr("This PyTorch was built without CUDA, so your NVIDIA card is not used.")


def device_notice_remedy(event: DeviceNoticed) -> str:
    """What to do about it, with the command."""
    match event.kind:
        case DeviceNotice.TORCH_WITHOUT_CUDA:
            return tr(
                "To install one with CUDA, run: {command} (other versions: "
                "https://pytorch.org/get-started/locally/).",
                command=event.command,
            )


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


def head_fitted_text(event: HeadFitted) -> str:
    """How good a head is that was just fitted."""
    return tr(
        "The head is fitted on {photos} images; cross-validated accuracy {accuracy} "
        "(95% interval {low} to {high}).",
        photos=f"{event.photos:,}",
        accuracy=fine_percent(event.accuracy),
        low=fine_percent(event.low),
        high=fine_percent(event.high),
    )


def photo_cache_text(event: CacheState) -> str:
    """What the cache of decoded images holds, and what was removed from it."""
    if event.photos:
        state = trn(
            "{count} decoded image is cached in {folder} ({size}).",
            "{count} decoded images are cached in {folder} ({size}).",
            event.photos,
            folder=event.folder,
            size=file_size(event.size),
        )
    else:
        state = tr("No decoded images are cached in {folder}.", folder=event.folder)
    if not event.removed:
        return state
    removed = tr("Removed {size} of decoded images.", size=file_size(event.removed))
    return sentences(removed, state)


def rolled_back_text(event: RolledBack) -> str:
    """Why a run was rolled back, to where, and how it continues."""
    return tr(
        "{reason} Rolled back to epoch {epoch}, batch {batch}; continuing with learning rate "
        "{rate}.",
        reason=event.reason,
        epoch=f"{event.epoch:,}",
        batch=f"{event.batch:,}",
        rate=number(event.learning_rate),
    )


def written_text(seconds: float | None) -> str:
    """How long ago a run wrote what is known of it; None for never."""
    if seconds is None:
        return tr("nothing is saved yet")
    if seconds < 60:
        return tr("last written just now")
    if seconds < 3600:
        return trn(
            "last written {count} min ago", "last written {count} min ago", int(seconds // 60)
        )
    return trn("last written {count} h ago", "last written {count} h ago", int(seconds // 3600))


def overdue_text(event: RunWatched) -> str:
    """That a run has written nothing for long, and what may be the reason."""
    return tr(
        "Nothing was written for {time}, though it saves every {minutes} min: its process may have "
        "been killed.",
        time=duration(event.seconds_since_written or 0),
        minutes=number(event.run.recipe.save_minutes),
    )


def precision_text(event: RunStarted) -> str:
    """How fast the precision of a run was beside the other one; "" if none was tried."""
    if not event.speedup:
        return ""
    other = "bfloat16" if event.precision == "float32" else "float32"
    if event.speedup < FASTER:
        return tr(
            "Both precisions were tried: {precision} is about as fast as {other}.",
            precision=event.precision,
            other=other,
        )
    return tr(
        "Both precisions were tried: {precision} is {speedup} times as fast as {other}.",
        precision=event.precision,
        speedup=f"{event.speedup:.1f}",
        other=other,
    )


def unreadable_text(problems: Sequence[Problem]) -> str:
    """How many images could not be read, of which there is one at least, and why the first."""
    first = problems[0]
    return trn(
        "{count} image could not be read ({path}: {reason}).",
        "{count} images could not be read ({path}: {reason}).",
        len(problems),
        path=first.path,
        reason=first.reason.rstrip("."),
    )


def learning_curve_text(event: LearningCurveEstimated) -> str:
    """Whether twice as many images would raise the accuracy, and which class would gain most."""
    now, twice = event.points[-1], event.twice
    gain = twice.accuracy - now.accuracy
    low, high = (min(each, 1 - now.accuracy) for each in (event.gain_low, event.gain_high))
    if gain < MIN_GAIN and high < HARDLY_ANY_GAIN:
        return tr(
            "More images would hardly help: the accuracy would stay at about {accuracy}.",
            accuracy=percent(now.accuracy),
        )
    if gain < MIN_GAIN or low <= 0:
        return tr(
            "It is not clear whether more images would help: twice as many would change the "
            "accuracy of about {accuracy} by {low} to {high} percentage points.",
            accuracy=percent(now.accuracy),
            low=_points(low),
            high=_points(high),
        )
    values = {"now": percent(now.accuracy), "twice": percent(twice.accuracy)}
    gains = [
        (after - before, name)
        for name, before, after in zip(
            event.classes, now.class_accuracy, twice.class_accuracy, strict=True
        )
        if before is not None and after is not None
    ]
    most, name = max(gains, default=(0.0, ""))
    if most <= gain:
        return tr(
            "Twice as many images would raise the accuracy from about {now} to {twice}.", **values
        )
    return tr(
        "Twice as many images would raise the accuracy from about {now} to {twice}: {name} gains "
        "most.",
        **values,
        name=name,
    )


def _points(gain: float) -> str:
    """A gain in accuracy in percentage points, with its sign: "+3", "−1"."""
    return f"{100 * gain:+.0f}".replace("-", "−")


def networks_compared_text(event: NetworksCompared) -> str:
    """Which network is best, and which is faster and within its interval; "" if none could be
    compared."""
    if not event.networks:
        return ""
    best, *others = event.networks
    values = {"model": best.model, "weights": best.weights}
    close = [each for each in others if each.accuracy >= best.low]
    fastest = min((best, *close), key=lambda each: each.milliseconds)
    if fastest is best:
        return trn(
            "The most accurate on {count} image is {model} ({weights}).",
            "The most accurate on {count} images is {model} ({weights}).",
            best.photos,
            **values,
        )
    return trn(
        "The most accurate on {count} image is {model} ({weights}); {other} takes less time, and "
        "may be as accurate.",
        "The most accurate on {count} images is {model} ({weights}); {other} takes less time, and "
        "may be as accurate.",
        best.photos,
        **values,
        other=fastest.model,
    )


def network_failed_text(event: NetworkFailed) -> str:
    """Which network could not be compared, and why."""
    if not event.model:
        return tr(
            "{weights} could not be compared: {reason}", weights=event.weights, reason=event.reason
        )
    return tr(
        "{model} ({weights}) could not be compared: {reason}",
        model=event.model,
        weights=event.weights,
        reason=event.reason,
    )
