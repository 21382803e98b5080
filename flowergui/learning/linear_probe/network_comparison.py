"""Which network suits a dataset best? Its features, a linear classifier, cross-validation."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import (
    DownloadProgress,
    Event,
    NetworkCompared,
    NetworkFailed,
    NetworksCompared,
    Preparing,
)
from flowergui.learning.data.dataset import ImageDataset
from flowergui.learning.linear_probe.backbone import (
    Backbone,
    load_backbone,
    report_out_of_memory,
)
from flowergui.learning.linear_probe.cross_validation import FOLDS, cross_validate
from flowergui.learning.linear_probe.features import (
    compute_features,
    cross_validated_photos,
    photo_dataset,
    sample_photos,
    scan_all,
)
from flowergui.learning.linear_probe.linear_classifier import PrincipalAxes
from flowergui.learning.models.catalogue import model_catalogue, with_local_weights
from flowergui.store import library
from flowergui.text import tr

MEMORY_BYTES = 1 << 28
"""Of decoded images, kept for the next network of the same image size: 300 take 45 MB at 224 px."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network and its weights, named as in a recipe. Without `model`, the file says it."""

    weights: str
    model: str = ""


def compare(
    folder: Path, files: Sequence[str], photos_used: int, device: str, *, local: bool = True
) -> Iterator[Event]:
    """Compares every network whose weights are on this machine (if `local`), and those of the
    weights in `files`, on up to `photos_used` images in `folder`, but two of each class at least.

    Yields the events of a scan, NetworkCompared or NetworkFailed for each with Preparing before
    them, and at last NetworksCompared. Raises FlowerError if there is nothing to compare.
    """
    candidates = [*(local_candidates() if local else ()), *map(Candidate, files)]
    if not candidates:
        raise FlowerError(
            tr("No pretrained weights are on this machine."),
            hint=tr("Download some, for example: flowergui weights resnet18"),
        )
    found, everything = yield from scan_all(folder)
    class_count = len(found.classes)
    photos = sample_photos(everything, class_count, photos_used)
    datasets: dict[tuple[int, int], ImageDataset] = {}
    compared: list[NetworkCompared] = []
    for candidate in candidates:
        try:
            backbone = yield from load_backbone(candidate.model, candidate.weights, device)
            backbone.refuse_leakage(folder)
            with report_out_of_memory(backbone.model):
                columns = backbone.columns()
            most = cross_validated_photos(photos, class_count, columns, FOLDS)
            used = sample_photos(photos, class_count, most)
            key = backbone.image_size, len(used)
            if key not in datasets:
                datasets[key] = photo_dataset(folder, used, backbone.image_size, MEMORY_BYTES)
            result = yield from _compared(backbone, candidate, datasets[key], class_count)
        except FlowerError as error:
            yield NetworkFailed(candidate.model, candidate.weights, str(error))
            continue
        compared.append(result)
        yield result
    yield NetworksCompared.ranked(str(folder), compared)


def local_candidates() -> list[Candidate]:
    """The pretrained weights on this machine: installed, downloaded, or saved in the folder of
    models."""
    found = []
    for facts in with_local_weights(model_catalogue()):
        local = [each.name for each in facts.weights if each.local]
        found += [Candidate(name, facts.name) for name in local]
        if not local:
            found += [Candidate(path, facts.name) for path in library.saved_weights(facts.name)]
    return found


def _compared(
    backbone: Backbone, candidate: Candidate, dataset: ImageDataset, class_count: int
) -> Generator[DownloadProgress | Preparing, None, NetworkCompared]:
    known = yield from compute_features(backbone, dataset)
    with report_out_of_memory(backbone.model):
        axes = PrincipalAxes.of(known.features)
        result = yield from cross_validate(axes, known.labels, class_count)
    low, high = result.interval
    return NetworkCompared(
        model=backbone.model,
        weights=candidate.weights,
        photos=len(known.photos),
        accuracy=result.accuracy,
        low=low,
        high=high,
        loss=result.loss,
        image_size=backbone.image_size,
        milliseconds=1000 * known.seconds,
        megabytes=backbone.megabytes,
    )
