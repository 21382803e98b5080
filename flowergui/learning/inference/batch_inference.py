"""Images through a trained network, in batches, on a device: prediction and evaluation share it."""

import logging
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn

from flowergui.errors import FlowerError
from flowergui.learning.data import augmentation
from flowergui.learning.data.dataset import ImageDataset, eval_transform
from flowergui.learning.data.loader import Batch, iterate_batches, worker_count
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.sampler import sequential_batches
from flowergui.learning.device import hardware, transfers
from flowergui.learning.device.autocast import autocast
from flowergui.learning.inference.predictor import Predictor
from flowergui.text import tr

log = logging.getLogger(__name__)

BATCH_SIZE = 32
"""Images in a batch: few, because a run may train beside it."""

CPU = torch.device("cpu")


class BatchInference:
    """A predictor's network on `device`. It computes in the precision in which it was validated,
    so that it is as good on the same images.

    On the CPU the predictor's own network is used, which other threads may use at the same time;
    on another device a copy of it is.
    """

    def __init__(self, predictor: Predictor, device: torch.device) -> None:
        self._predictor = predictor
        self._place_on(device)

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
        try:
            for indices, batch in zip(wanted, loaded, strict=True):
                yield indices, batch, self._logits(batch)
        except (RuntimeError, MemoryError) as error:
            if not hardware.out_of_memory(error):
                raise
            raise FlowerError(
                tr("There is not enough memory to run the network now."),
                hint=tr("Wait until the run is over, or close other programs."),
            ) from error

    def normalized(self, images: Tensor) -> Tensor:
        """Images (B, S, S, 3) of bytes -> (B, 3, S, S) float32 as the network takes them, on its
        device."""
        sent = transfers.send(images, self._device)
        return augmentation.normalize(sent, self._predictor.mean, self._predictor.std)

    def _logits(self, batch: Batch) -> Tensor:
        if not batch.indices:
            return torch.empty(0, len(self._predictor.classes))
        try:
            return self._forward(batch.images)
        except (RuntimeError, MemoryError) as error:
            if self._device == CPU or not hardware.out_of_memory(error):
                raise
        log.warning(tr("There is not enough memory on the GPU; the CPU computes instead."))
        self._place_on(CPU)
        hardware.release()
        return self._logits(batch)

    def _forward(self, images: Tensor) -> Tensor:
        with torch.inference_mode(), autocast(self._device, self._dtype):
            logits: Tensor = self._net(self.normalized(images))
            return logits.float().cpu()

    def _place_on(self, device: torch.device) -> None:
        predictor = self._predictor
        same = device.type == predictor.trained_on
        self._device = device
        self._dtype = predictor.dtype if same else hardware.precision("auto", device)
        self._net = predictor.net if device == CPU else deepcopy(predictor.net).to(device)
