"""Frozen data classes that events carry: facts about images, networks, runs and predictions."""

from dataclasses import dataclass
from enum import StrEnum

from flowergui.config.recipe import Recipe

Heatmap = tuple[tuple[float, ...], ...]
"""Rows of numbers from 0 (nothing) to 1, over the middle square of a photo."""


MIN_BRIGHTNESS = 0.2
"""The share of its light that is left where nothing speaks for a class."""


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One class: its photos by split as the folder gives them, and a few to show."""

    name: str
    train: int
    validation: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class WeightsFacts:
    """Pretrained weights that torchvision knows: their name (IMAGENET1K_V2), top-1 accuracy on
    ImageNet, input size in pixels and download size in megabytes."""

    name: str
    accuracy: float
    image_size: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """An architecture of the catalogue. `image_size` is its own input size in pixels,
    `weights` the pretrained ones, the default first (empty where none exist)."""

    name: str
    family: str
    parameters: int
    image_size: int
    weights: tuple[WeightsFacts, ...]


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """One entry of `named_parameters()`."""

    name: str
    shape: tuple[int, ...]
    size: int


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """One module of the tree that "Show network" prints: dotted name ("" is the network
    itself), class name, output shape without the batch (None where it gave no single tensor),
    parameters of its own subtree."""

    name: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared before a run is resumed. `verdict` is "same", "fine" (it has
    changed, and the run can go on) or "blocking" (it can't); `remedy` says what can be done."""

    subject: str
    verdict: str
    detail: str
    remedy: str = ""


class DeviceNotice(StrEnum):
    """What is wrong with the devices of this machine."""

    TORCH_WITHOUT_CUDA = "torch-without-cuda"


class SpeedupKind(StrEnum):
    """What makes a run faster."""

    PROGRESSIVE_RESIZING = "progressive-resizing"
    CACHED_AUGMENTATIONS = "cached-augmentations"
    CONSTANT_SIZE = "constant-size"


@dataclass(frozen=True, slots=True)
class Speedup:
    """Settings (name, value) with which a run takes fewer `seconds`, and what kind they are."""

    kind: SpeedupKind
    values: tuple[tuple[str, int], ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run on disk: its folder, its recipe, its number of classes, how far it came (so many
    epochs, and `batch` batches of the next), the paths of its last and best checkpoints, and what
    somebody has noted on it (empty where there is none)."""

    path: str
    recipe: Recipe
    class_count: int
    epochs_done: int
    best_accuracy: float
    last: str
    best: str
    batch: int = 0
    note: str = ""

    @property
    def finished(self) -> bool:
        """Whether it has done all its epochs."""
        return self.epochs_done >= self.recipe.epochs


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class, called `class` in JSON and `name` here, and its probability."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How a class fared: of its `photos` so many were `right`, and `guessed` photos in all were
    taken for it. recall = right / photos, precision = right / guessed, f1 their harmonic mean; None
    where that would divide by 0."""

    name: str
    photos: int
    correct: int
    predicted: int
    recall: float | None
    precision: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """So many `photos` of the class `label` were taken for `guess`."""

    label: str
    predicted: str
    photos: int
