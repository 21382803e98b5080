"""Checkpoint + images -> for each of them the likeliest classes, and why."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor

from flowergui.events import Event, Explained, Predicted, PredictionFailed
from flowergui.facts import Prediction
from flowergui.learning.data.photos import Photo
from flowergui.learning.inference import grad_cam
from flowergui.learning.inference.batch_inference import BatchInference
from flowergui.learning.inference.predictor import (
    checkpoint_of,
    device_for,
    load,
    probabilities,
)
from flowergui.store.photo_files import TakenNames

TOP_K = 5


def predict(
    source: Path,
    images: Sequence[Path],
    *,
    why: bool = False,
    out: Path | None = None,
    device: str = "",
) -> Iterator[Event]:
    """Predicts what each image shows, by a checkpoint or by a run folder's best.

    The images go through the network in batches; events come in their order: Predicted, or
    PredictionFailed for one that can't be read. With `why`, Explained comes after each Predicted,
    with a picture in the folder `out` if there is one; without heatmaps if the network can't be
    explained. `device` is as in `device_for`.

    No random numbers are drawn, so that a run that trains beside it is not affected. Raises
    FlowerError if the checkpoint can't be used, if memory is short, and if pictures can't be
    written.
    """
    path = checkpoint_of(source)
    predictor = load(path)
    inference = BatchInference(predictor, device_for(predictor, device))
    photos = [Photo(str(image), 0) for image in images]
    taken: TakenNames = {}
    for indices, batch, logits in inference.iterate(Path(), photos):
        rows = {index: row for row, index in enumerate(batch.indices)}
        failed = iter(batch.failed)
        shares = probabilities(logits, path)
        for index in indices:
            name = str(images[index])
            if index not in rows:
                yield PredictionFailed(name, next(failed).reason)
                continue
            row = rows[index]
            top = shares[row].topk(min(TOP_K, len(predictor.classes)))
            labels = top.indices.tolist()
            predictions = tuple(
                Prediction(predictor.classes[label], probability)
                for label, probability in zip(labels, top.values.tolist(), strict=True)
            )
            yield Predicted(name, predictions, str(path), predictor.epoch)
            if why:
                maps = inference.heatmaps(batch.images[row], labels)
                yield _explained(images[index], maps, out, taken)


def _explained(
    image: Path, maps: tuple[Tensor, ...], out: Path | None, taken: TakenNames
) -> Explained:
    """Of an image and its Grad-CAM maps, the likeliest class first."""
    heatmaps = tuple(grad_cam.as_rows(heat) for heat in maps)
    picture = grad_cam.overlay(image, heatmaps[0], out, taken) if out and heatmaps else ""
    return Explained(str(image), heatmaps, str(picture))
