"""Recipe: everything that decides a run, declared once.

The form in the window, the command line's options, the checks and recipe.json all read this
one description, so a setting added here appears everywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from flowergui.config.frozen_patterns import ALL_BUT_HEAD, ALL_BUT_LAST_STAGE
from flowergui.config.setting import Setting, setting
from flowergui.errors import FlowerError

START, TRAINING, PHOTOS, MACHINE = "Start from", "Training", "Photos", "Machine"
GROUPS = (START, TRAINING, PHOTOS, MACHINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a run, in plain values.

    Two runs of one recipe on one machine end with the same weights. `photos` is the folder
    to learn from; the other fields are described where they stand.
    """

    photos: str = ""

    mode: str = setting(
        "scratch",
        START,
        "Mode",
        "Scratch starts from random weights and learns everything from your photos. "
        "Transfer starts from weights that already know how to see, and is nearly always "
        "better when you have fewer than a few thousand photos.",
        choices=(("scratch", "Scratch"), ("transfer", "Transfer")),
    )
    model: str = setting(
        "resnet18",
        START,
        "Network",
        "The architecture. Small ones train fast, large ones can learn more. "
        "resnet18 is a good first choice; resnet50 is slower and more accurate; "
        "mynet is a small network that trains fast on a laptop.",
    )
    weights: str = setting(
        "imagenet",
        START,
        "Weights",
        "Where transfer starts: imagenet (downloaded once), a version of it such as "
        "IMAGENET1K_V1, or a .pth file of yours.",
        matters=lambda recipe: recipe.mode == "transfer",
    )
    frozen: tuple[str, ...] = setting(
        (),
        START,
        "Frozen",
        "Parameters that keep their values: names, patterns such as layer1.*, or the words "
        f"{ALL_BUT_HEAD} and {ALL_BUT_LAST_STAGE}.",
    )

    epochs: int = setting(
        60,
        TRAINING,
        "Epochs",
        "How often the network sees every training photo. More epochs learn more, until "
        "validation accuracy stops growing.",
        minimum=1,
        maximum=10_000,
    )
    batch_size: int = setting(
        32,
        TRAINING,
        "Batch size",
        "How many photos are shown before the weights move. Larger batches need more memory "
        "and a larger learning rate. At least 2: batch normalisation compares the photos of "
        "a batch.",
        unit="photos",
        minimum=2,
        maximum=4096,
    )
    learning_rate: float = setting(
        0.002,
        TRAINING,
        "Learning rate",
        "How far each step moves the weights. Too large and the loss jumps or becomes NaN, "
        "too small and nothing is learned. 0.001 suits Adam, 0.01 to 0.1 suits SGD.",
        minimum=1e-8,
        maximum=10.0,
        logarithmic=True,
    )
    optimizer: str = setting(
        "adamw",
        TRAINING,
        "Optimizer",
        "The rule that turns gradients into steps. AdamW is a safe choice; SGD with momentum "
        "can end better but needs a well-chosen learning rate.",
        choices=(
            ("adam", "Adam"),
            ("adamw", "AdamW"),
            ("sgd", "SGD with momentum"),
            ("rmsprop", "RMSprop"),
        ),
    )
    momentum: float = setting(
        0.9,
        TRAINING,
        "Momentum",
        "How much of the last step SGD and RMSprop carry over into the next.",
        maximum=0.999,
        step=0.05,
        matters=lambda recipe: recipe.optimizer in ("sgd", "rmsprop"),
    )
    weight_decay: float = setting(
        0.05,
        TRAINING,
        "Weight decay",
        "Pulls weights towards zero at every step, which keeps the network from learning "
        "photos by heart. Biases and normalisation layers are spared.",
        maximum=10.0,
        step=0.01,
        zero="none",
    )
    scheduler: str = setting(
        "one-cycle",
        TRAINING,
        "Schedule",
        "How the learning rate changes over the run. StepLR drops it by a factor every few "
        "epochs, cosine lets it fall smoothly, one-cycle warms it up first, plateau lowers "
        "it when validation loss no longer improves.",
        choices=(
            ("step", "StepLR"),
            ("cosine", "Cosine"),
            ("one-cycle", "One-cycle"),
            ("plateau", "Plateau"),
            ("none", "Constant"),
        ),
    )
    step_size: int = setting(
        30,
        TRAINING,
        "Step size",
        "StepLR lowers the learning rate after every this many epochs; plateau waits a third "
        "as many without improvement.",
        unit="epochs",
        minimum=1,
        maximum=10_000,
        matters=lambda recipe: recipe.scheduler in ("step", "plateau"),
    )
    gamma: float = setting(
        0.1,
        TRAINING,
        "Gamma",
        "What StepLR and plateau multiply the learning rate by.",
        minimum=0.001,
        maximum=1.0,
        step=0.05,
        matters=lambda recipe: recipe.scheduler in ("step", "plateau"),
    )
    label_smoothing: float = setting(
        0.1,
        TRAINING,
        "Label smoothing",
        "The share of certainty withheld from the right answer. 0.1 keeps the network from "
        "being overconfident.",
        maximum=0.9,
        step=0.05,
        zero="none",
    )
    ema: float = setting(
        0.0,
        TRAINING,
        "EMA",
        "Keeps a moving average of the weights, with this decay per step, and validates, "
        "saves and predicts with it. 0.99 to 0.999 gives steadier, often better results.",
        maximum=0.99999,
        step=0.001,
        zero="off",
        switched_on=0.998,
    )

    image_size: int = setting(
        0,
        PHOTOS,
        "Image size",
        "The side of the square that the network sees. Half the size trains four times "
        "faster, and sees less. The network's own size is what its weights were made for.",
        unit="px",
        minimum=16,
        maximum=1024,
        step=16,
        zero="the network's own",
    )
    training_size: int = setting(
        0,
        PHOTOS,
        "Training size",
        "The side of the square in training, where it should be smaller than the image size. "
        "Augmentation cuts pieces out, so flowers look larger in training than afterwards; "
        "looking at larger pictures makes up for it. About three quarters of the image size "
        "trains faster and guesses better.",
        unit="px",
        minimum=16,
        maximum=1024,
        step=16,
        zero="as image size",
    )
    first_training_size: int = setting(
        0,
        PHOTOS,
        "First training size",
        "Training may begin with smaller squares, and let them grow to the training size over "
        "the first four fifths of the epochs. Small ones are learned from several times faster; "
        "what they teach stays of use.",
        unit="px",
        minimum=16,
        maximum=1024,
        step=16,
        zero="as training size",
    )
    augmentation: str = setting(
        "light",
        PHOTOS,
        "Augmentation",
        "Shows every photo a little differently each time, so that the network can't learn "
        "it by heart. Light crops, flips and shifts colours; strong also turns, distorts and "
        "erases parts.",
        choices=(("none", "None"), ("light", "Light"), ("strong", "Strong")),
    )
    cached_views: int = setting(
        0,
        PHOTOS,
        "Cached views",
        "Augmentation repeats itself after so many epochs. Layers that are frozen at the beginning "
        "then look at each view of a photo once, and training runs on what they saw: the later "
        "epochs take a moment.",
        unit="views",
        minimum=0,
        maximum=100,
        zero="new ones in every epoch",
        switched_on=4,
        matters=lambda recipe: recipe.augmentation != "none",
    )
    mixup: float = setting(
        0.0,
        PHOTOS,
        "MixUp",
        "Blends pairs of photos and their labels; the number is alpha of the Beta "
        "distribution that draws the blend (0.2 is usual). Helps long runs.",
        maximum=10.0,
        step=0.1,
        zero="off",
        switched_on=0.2,
    )
    cutmix: float = setting(
        0.0,
        PHOTOS,
        "CutMix",
        "Pastes a piece of one photo into another and mixes their labels; the number is "
        "alpha of the Beta distribution that draws its size (1 is usual).",
        maximum=10.0,
        step=0.1,
        zero="off",
        switched_on=1.0,
    )
    validation_fraction: float = setting(
        0.2,
        PHOTOS,
        "Validation fraction",
        "The share of photos of every class that is held back to measure accuracy on. It is "
        "used where the folder has no validation photos of its own.",
        minimum=0.01,
        maximum=0.9,
        step=0.05,
    )
    drop_last: bool = setting(
        False,
        PHOTOS,
        "Drop last batch",
        "Leaves out the last batch of an epoch when it is smaller than the others.",
    )
    seed: int = setting(
        0,
        MACHINE,
        "Seed",
        "The number that all randomness grows from. The same seed gives the same run.",
        minimum=0,
        maximum=2**31 - 1,
    )
    device: str = setting(
        "auto",
        MACHINE,
        "Device",
        "Where the network is trained. Auto takes a graphics card where there is one.",
        choices=(
            ("auto", "Auto"),
            ("cpu", "Processor (cpu)"),
            ("cuda", "NVIDIA or AMD (cuda)"),
            ("mps", "Apple (mps)"),
        ),
    )
    precision: str = setting(
        "auto",
        MACHINE,
        "Precision",
        "How many bits numbers have while training. Auto tries a few batches of the network on "
        "this machine, and takes bfloat16 unless float32 is faster.",
        choices=(
            ("auto", "Auto"),
            ("float32", "float32"),
            ("bfloat16", "bfloat16"),
            ("float16", "float16 (graphics cards)"),
        ),
    )
    compiled: bool = setting(
        False,
        MACHINE,
        "Compile the network",
        "torch turns the layers that train into programs made for this graphics card. That takes "
        "a minute or more before the first batch, and pays in long runs. A processor gains "
        "nothing by it: there the network is left as it is.",
    )
    feature_cache: bool = setting(
        True,
        MACHINE,
        "Feature cache",
        "Layers that are frozen at the beginning see photos that don't change once alone; what "
        "they make of them is kept, in memory or in a file, until the run ends.",
    )
    photo_cache: bool = setting(
        True,
        MACHINE,
        "Photo cache",
        "Decoded photos that memory has no room for, and large ones, which take long, are kept "
        "in a folder of yours, where the next run finds them: 20 GB at most, and only while a "
        "quarter of the disk's free room is enough.",
    )
    workers: int = setting(
        0,
        MACHINE,
        "Loading workers",
        "Threads that prepare the next batches while the network trains on this one. Auto: "
        "none on a processor, where the network needs all cores itself, and one for each core, "
        "up to eight, beside a graphics card. The result does not depend on it.",
        unit="threads",
        minimum=0,
        maximum=64,
        zero="auto",
    )
    recover: bool = setting(
        False,
        MACHINE,
        "Recover from NaN",
        "Where the loss becomes infinite or no number, goes back to the last checkpoint and on "
        "from there with half the learning rate, three times at most. Without it the run ends "
        "there, and says so.",
    )
    save_minutes: float = setting(
        2.0,
        MACHINE,
        "Save every",
        "A run that is killed, or whose machine loses its power, loses no more than this. It is "
        "saved at the ends of epochs, at Pause and at Stop as well.",
        unit="min",
        minimum=0.1,
        maximum=60.0,
        step=1.0,
    )

    def problems(self) -> dict[str, str]:
        """Field name -> why its value can't be, in a sentence; empty where all is well."""
        found = {}
        for each in SETTINGS:
            if reason := each.problem(getattr(self, each.name)):
                found[each.name] = reason
        if not found:
            if self.mode == "transfer" and not self.weights:
                found["weights"] = "Transfer needs weights to start from: imagenet or a file."
            if self.precision == "float16" and self.device == "cpu":
                found["precision"] = "float16 needs a graphics card; bfloat16 runs on processors."
        return found

    def checked(self) -> Self:
        """Itself, if every value can be; raises FlowerError with the first reason if not."""
        for reason in self.problems().values():
            raise FlowerError(reason)
        return self

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready builtins."""
        return asdict(self) | {"frozen": list(self.frozen)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """A recipe from `as_dict`'s form. Unknown fields (of a later version) are passed
        over and missing ones have their defaults; raises FlowerError where a value can't be."""
        known = {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        if isinstance(known.get("frozen"), list):
            known["frozen"] = tuple(known["frozen"])
        return cls(**known).checked()


def _settings() -> Iterable[Setting]:
    for each in fields(Recipe):
        if "label" in each.metadata:
            default: Any = each.default
            yield Setting(name=each.name, default=default, **each.metadata)


SETTINGS: tuple[Setting, ...] = tuple(_settings())
"""Every field of Recipe but `photos`, in the order in which people should meet them."""

SETTING: dict[str, Setting] = {each.name: each for each in SETTINGS}


RESUMABLE = (
    *("epochs", "learning_rate", "frozen", "device", "precision", "compiled"),
    *("feature_cache", "photo_cache", "workers", "recover", "save_minutes"),
)
"""The settings that may be other than before when a run is resumed (and its photos' folder)."""
