"""A graphics card is not waited for. There need be none: torch can pretend to have one, whose
tensors hold nothing, and tell what it was asked to do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.learning.data.dataset import ImageDataset, eval_transform
from flowergui.learning.data.loader import Batch, iterate_batches
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.split import Split
from flowergui.learning.device import hardware, transfers
from flowergui.learning.models.build import build
from flowergui.learning.models.describe import describe
from flowergui.learning.training import loop
from flowergui.learning.training.data_pipeline import (
    FeatureBatch,
    TrainPipeline,
    ValidationPipeline,
)
from flowergui.learning.training.model_state import ModelState
from flowergui.learning.training.progress import RunningMetrics
from flowergui.learning.training.run import Run
from flowergui.learning.training.runtime_config import RuntimeConfig
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]

CARD = torch.device("cuda", 0)
CPU = torch.device("cpu")

COPIES = torch.ops.aten.to, torch.ops.aten._to_copy, torch.ops.aten.copy_


class Watched(TorchDispatchMode):
    """Notes what would keep the processor waiting for a card."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.waits: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        on = {each.device.type for each in args if isinstance(each, Tensor)}
        if (
            func.overloadpacket in COPIES
            and isinstance(result, Tensor)
            and on | {result.device.type} == {"cpu", "cuda"}
        ):
            self.sent += 1
            if not kwargs.get("non_blocking") and not any(each is True for each in args):
                self.waits.append(str(func))
        elif func is torch.ops.aten._local_scalar_dense.default and "cuda" in on:
            self.waits.append(str(func))
        return result


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A card that isn't there, and what became of a step's numbers on it."""
    told: list[str] = []

    def fetch(numbers: Tensor) -> Callable[[], list[float]]:
        assert (numbers.device, numbers.shape) == (CARD, (2,))
        told.append("sent")

        def read() -> list[float]:
            told.append("read")
            return [0.5, 2.0]

        return read

    describe("mynet", 3, 32)  # what is found out once, is so on the processor
    # The card's weights are made there; what is pretended can't be moved, nor go backwards.
    monkeypatch.setattr(nn.Module, "to", lambda self, *args, **more: self)
    monkeypatch.setattr(Tensor, "backward", lambda self: told.append("backward"))
    monkeypatch.setattr(transfers, "fetch", fetch)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield told


def run_on_card(recipe: Recipe, tmp_path: Path) -> Run:
    rows = tuple(album().photos)
    split = Split(tmp_path, ("a", "b", "c"), rows, rows)
    with CARD:
        net = build(recipe.model, 3, 32)
    plan = RuntimeConfig(32, (0.5,) * 3, (0.2,) * 3, CARD, torch.float32)
    return Run(recipe, split, RunFolder(tmp_path / "run"), ModelState(net, recipe, plan, 3), 1)


def album() -> ImageDataset:
    return ImageDataset(
        Path(), [Photo(f"{n}.jpg", n % 3) for n in range(4)], lambda path: np.empty(0), 0
    )


def some() -> Batch:
    """Four photos, as they are loaded."""
    views = torch.zeros(4, 32, 32, 3, dtype=torch.uint8)
    return Batch(views, torch.zeros(4, dtype=torch.int64), (0, 1, 2, 3), ())


@pytest.mark.parametrize(
    ("more", "copies"),
    [
        ({}, 4),  # labels, views, and two that normalise
        ({"augmentation": "light"}, 7),  # labels, views, and five for the colours
        ({"augmentation": "strong"}, 9),  # and turns, and what is erased
        ({"mixup": 0.2, "cutmix": 1.0}, 4),
    ],
)
def test_a_step_waits_for_no_more_than_its_own_numbers(
    little: Little, card: list[str], tmp_path: Path, more: dict[str, Any], copies: int
) -> None:
    training = run_on_card(little(device="cuda", **more), tmp_path)
    pipeline = TrainPipeline(album(), training.recipe, training.config, training.model, 0)
    with Watched() as watched:
        (done,) = loop.train_batch(training, pipeline, some())
    assert (watched.waits, watched.sent) == ([], copies)
    assert card == ["sent", "backward", "read"]
    assert (done.loss, done.accuracy) == (0.5, 0.5)


def test_validation_waits_once_a_batch(little: Little, card: list[str], tmp_path: Path) -> None:
    training = run_on_card(little(device="cuda"), tmp_path)
    pipeline = ValidationPipeline(album(), training.recipe, training.config, training.model, 0)
    metrics = RunningMetrics()
    with Watched() as watched:
        loop.validate_batch(training, pipeline, some(), metrics)
    assert (metrics.mean_loss, metrics.right) == (0.5, 2)
    assert (watched.waits, watched.sent, card) == ([], 4, ["sent", "read"])


def test_kept_features_are_sent_without_waiting(
    little: Little, card: list[str], tmp_path: Path
) -> None:
    training = run_on_card(little(device="cuda"), tmp_path)
    features = torch.zeros(4, 256), torch.zeros(4, 8)
    batch = FeatureBatch(features, some().labels, some().indices)
    pipeline = TrainPipeline(album(), training.recipe, training.config, training.model, 0)
    with Watched() as watched:
        values = pipeline.features(batch, 1)
    assert [value.device for value in values] == [CARD, CARD]
    assert (watched.waits, watched.sent) == ([], 2)


def test_features_take_a_share_of_the_memory_of_their_device(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {None: 4_000_000_000, CPU: 400}
    rooms: list[int] = []
    real = TrainPipeline.__init__

    def noting(self: TrainPipeline, *parts: Any) -> None:
        rooms.append(parts[4])
        real(self, *parts)

    monkeypatch.setattr(hardware, "free_memory", lambda on=None: free[on])
    monkeypatch.setattr(TrainPipeline, "__init__", noting)
    list(tasks.train(little(epochs=1)))
    assert rooms == [100]


# --- one by one ---------------------------------------------------------------------------------


def test_on_a_processor_there_is_nothing_to_wait_for() -> None:
    numbers = torch.tensor([0.25, 3.0])
    assert transfers.send(numbers, CPU) is numbers
    read = transfers.fetch(numbers)
    numbers.zero_()  # it was read already
    assert read() == [0.25, 3.0]
    room = transfers.pinned_buffer((2, 3), CPU)
    assert (room.shape, room.dtype, room.is_pinned()) == ((2, 3), torch.uint8, False)


def test_numbers_are_waited_for_when_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come into pinned memory, behind what the card was given before."""
    told: list[str] = []

    class Event:
        def __init__(self, blocking: bool) -> None:
            assert blocking

        def record(self) -> None:
            told.append("recorded")

        def synchronize(self) -> None:
            told.append("waited")

    real = torch.empty_like

    def empty_like(numbers: Tensor, device: str, pin_memory: bool) -> Tensor:
        told.append(f"on the {device}, pinned: {pin_memory}")
        return real(numbers, device=device)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch, "empty_like", empty_like)
    monkeypatch.setattr(FakeTensor, "tolist", lambda self: [1.5, 7.0])
    with FakeTensorMode(), Watched() as watched:
        read = transfers.fetch(torch.empty(2, device=CARD))
        assert (watched.waits, watched.sent) == ([], 1)
    assert told == ["on the cpu, pinned: True", "recorded"]
    assert read() == [1.5, 7.0]
    assert told[2:] == ["waited"]


@pytest.mark.parametrize("workers", [0, 2])
def test_photos_are_stacked_in_memory_that_a_card_can_fetch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))
    photos = ImageDataset(folder, [Photo(path, 0) for path in paths], eval_transform(32), 0)
    pinned: list[bool] = []
    real = torch.empty

    def empty(*shape: int, pin_memory: bool = False, **more: Any) -> Tensor:
        pinned.append(pin_memory)
        return real(*shape, **more)

    monkeypatch.setattr(torch, "empty", empty)
    for device in (CPU, CARD):
        pinned.clear()
        (batch,) = iterate_batches(photos, [(3, 1)], lambda pixels, index: pixels, workers, device)
        assert True in pinned if device == CARD else True not in pinned
        expected = torch.stack([torch.from_numpy(photos.pixels(n).copy()) for n in (3, 1)])
        assert torch.equal(batch.images, expected)
