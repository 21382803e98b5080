"""Images through a trained network, in batches, on a device: prediction and evaluation share it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from flowergui.learning.data import augmentation
from flowergui.learning.data.dataset import ImageDataset, eval_transform
from flowergui.learning.data.loader import Batch, iterate_batches, worker_count
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.sampler import sequential_batches
from flowergui.learning.device import hardware, transfers
from flowergui.learning.device.autocast import autocast
from flowergui.learning.inference import grad_cam
from flowergui.learning.inference.predictor import Predictor
from flowergui.text import tr

log = logging.getLogger(__name__)

BATCH_SIZE = 32
"""Images in a batch: few, because a run may train beside it."""

CPU = torch.device("cpu")

Computed = TypeVar("Computed")


def _report_out_of_memory() -> AbstractContextManager[None]:
    """Raises FlowerError for what a device or the system raises when memory is full."""
    return hardware.report_out_of_memory(
        tr("There is not enough memory to run the network now."),
        tr("Wait until the run is over, or close other programs."),
    )


class BatchInference:
    """A predictor's network on `device`. It computes in the precision in which it was validated,
    so that it is as good on the same images.

    On the CPU the predictor's own network is used, which other threads may use at the same time;
    on another device a copy of it is. If the memory of a GPU is full, the CPU computes instead.
    """

    def __init__(self, predictor: Predictor, device: torch.device) -> None:
        self._predictor, self._device = predictor, device
        self._on_cpu_if_full(self._place)

    @property
    def net(self) -> nn.Module:
        """The network, in evaluation mode; none of its parameters takes gradients."""
        return self._net

    def iterate(
        self, folder: Path, photos: Sequence[Photo]
    ) -> Iterator[tuple[tuple[int, ...], Batch, Tensor]]:
        """For each batch: the indices of its `photos` (paths relative to `folder`), the images of
        those that could be read, and their logits (B, classes) float32 on the CPU.

        No more than some batches are in memory at a time. Raises FlowerError if memory is short.
        """
        transform = eval_transform(self._predictor.image_size)
        dataset = ImageDataset(folder, photos, transform, memory=0)
        wanted = sequential_batches(len(photos), BATCH_SIZE)
        workers = worker_count(0, self._device)
        loaded = iterate_batches(dataset, wanted, lambda pixels, _: pixels, workers, self._device)
        with _report_out_of_memory():
            for indices, batch in zip(wanted, loaded, strict=True):
                yield indices, batch, self._logits(batch)

    def heatmaps(self, image: Tensor, labels: Sequence[int]) -> tuple[Tensor, ...]:
        """Grad-CAM of an image (S, S, 3) of bytes: for each of `labels` a map (h, w), see
        `grad_cam.class_activation_maps`; none if the network can't be explained. Raises FlowerError
        if memory is short."""
        layer = self._predictor.cam_layer
        if not layer:
            return ()
        with _report_out_of_memory():
            return self._on_cpu_if_full(lambda: self._maps(layer, image, labels))

    def _logits(self, batch: Batch) -> Tensor:
        if not batch.indices:
            return torch.empty(0, len(self._predictor.classes))
        return self._on_cpu_if_full(lambda: self._forward(batch.images))

    def _forward(self, images: Tensor) -> Tensor:
        with torch.inference_mode(), autocast(self._device, self._dtype):
            logits: Tensor = self._net(self._normalized(images))
            return logits.float().cpu()

    def _maps(self, layer: str, image: Tensor, labels: Sequence[int]) -> tuple[Tensor, ...]:
        images = self._normalized(image[None])
        return grad_cam.class_activation_maps(self._net, layer, images, labels)

    def _normalized(self, images: Tensor) -> Tensor:
        """Images (B, S, S, 3) of bytes -> (B, 3, S, S) float32 as the network takes them, on its
        device."""
        sent = transfers.send(images, self._device)
        return augmentation.normalize(sent, self._predictor.mean, self._predictor.std)

    def _on_cpu_if_full(self, compute: Callable[[], Computed]) -> Computed:
        """What `compute` gives on the device; if the memory of a GPU is full, on the CPU, where the
        network stays then."""
        try:
            return compute()
        except (RuntimeError, MemoryError) as error:
            if self._device == CPU or not hardware.out_of_memory(error):
                raise
        log.warning(tr("There is not enough memory on the GPU; the CPU computes instead."))
        self._device = CPU
        self._place()
        hardware.release()
        return compute()

    def _place(self) -> None:
        """Takes the network to the device."""
        predictor, device = self._predictor, self._device
        same = device.type == predictor.trained_on
        self._dtype = predictor.dtype if same else hardware.precision("auto", device)
        self._net = predictor.net if device == CPU else deepcopy(predictor.net).to(device)
