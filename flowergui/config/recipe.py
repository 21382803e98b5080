"""Recipe: all settings of a run, declared once.

The form in the window, the options of the command line, the checks and recipe.json read this
description, so a setting that is added here appears in all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from flowergui.config.setting import Setting, setting
from flowergui.config.unfreeze_schedule import parse_entry
from flowergui.errors import FlowerError
from flowergui.text import N_, tr

START, TRAINING, IMAGES, MACHINE = N_("Start from"), N_("Training"), N_("Images"), N_("Machine")
GROUPS = (START, TRAINING, IMAGES, MACHINE)

DEFAULT_MODELS = {"scratch": "resnet18", "transfer": "efficientnet_lite0"}
"""The network of a new run in each mode, unless another is chosen. The pretrained weights of the
one for transfer are installed with the program."""

_DEFAULTS_BEFORE = {"mode": "scratch", "model": "resnet18"}
"""What recipes meant that were stored without these fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All settings of a run, as plain values.

    Two runs of the same recipe on the same machine end with the same weights. `photos` is the
    folder of the dataset. The other fields have a help text each.
    """

    photos: str = ""

    mode: str = setting(
        "transfer",
        START,
        N_("Mode"),
        N_(
            "Scratch starts from random weights and learns everything from your images. Transfer "
            "starts from pretrained weights, and is nearly always better with fewer than a few "
            "thousand images."
        ),
        choices=(("scratch", N_("Scratch")), ("transfer", N_("Transfer"))),
    )
    model: str = setting(
        DEFAULT_MODELS["transfer"],
        START,
        N_("Network"),
        N_(
            "The architecture. Small ones train fast, large ones can learn more. For transfer, "
            "efficientnet_lite0 is a good first choice, and its pretrained weights are installed "
            "already; resnet50 is slower. From scratch, resnet18 is one; mynet is a small network "
            "that trains fast on a laptop."
        ),
    )
    weights: str = setting(
        "imagenet",
        START,
        N_("Weights"),
        N_(
            "The pretrained weights that transfer starts from: imagenet (downloaded once, unless "
            "they are on this machine), a version of them such as IMAGENET1K_V1, or the path of a "
            ".pth or .safetensors file."
        ),
        matters=lambda recipe: recipe.mode == "transfer",
    )
    frozen: tuple[str, ...] = setting(
        (),
        START,
        N_("Frozen"),
        N_(
            "The parameters that are not trained: names, patterns such as layer1.*, or the words "
            "all-but-head and all-but-last-stage."
        ),
    )
    unfreeze_schedule: tuple[str, ...] = setting(
        (),
        START,
        N_("Unfreezing"),
        N_(
            "The epochs from which on frozen layers train, as in layer4=2 layer3=4 (gradual "
            "unfreezing; Howard and Ruder 2018). What it does not name stays frozen, unless there "
            "are frozen epochs."
        ),
    )

    minutes: float = setting(
        0.0,
        TRAINING,
        N_("Time budget"),
        N_(
            "How long the run may take. The number of epochs is then adapted after each epoch, by "
            "how long it took, so that the run ends in time, with its best network so far. If all "
            "layers but the head stay frozen, it ends after 60 epochs: more would only overfit."
        ),
        unit=N_("min"),
        minimum=0.1,
        maximum=100_000.0,
        step=1.0,
        zero=N_("as long as it takes"),
        switched_on=5.0,
    )
    fit_head: bool = setting(
        False,
        TRAINING,
        N_("Fit the head"),
        N_(
            "Fits the classifier in the first epoch by logistic regression on the features of all "
            "training images, which takes seconds and has no learning rate. The epochs after it "
            "fine-tune what is not frozen, from there."
        ),
        matters=lambda recipe: recipe.mode == "transfer",
    )
    freeze_epochs: int = setting(
        0,
        TRAINING,
        N_("Frozen epochs"),
        N_(
            "How many epochs the frozen layers stay frozen. After them all layers are fine-tuned, "
            "with the head already trained (Kumar et al. 2022)."
        ),
        unit=N_("epochs"),
        minimum=0,
        maximum=10_000,
        zero=N_("the whole run"),
        switched_on=1,
        matters=lambda recipe: recipe.mode == "transfer",
    )
    epochs: int = setting(
        60,
        TRAINING,
        N_("Epochs"),
        N_(
            "How often the network sees every training image. More epochs help until the "
            "validation accuracy stops improving. With a time budget, their number follows from "
            "it; choose it yourself, and the budget is switched off."
        ),
        minimum=1,
        maximum=10_000,
    )
    batch_size: int = setting(
        32,
        TRAINING,
        N_("Batch size"),
        N_(
            "How many images are used for each step of the optimizer. Larger batches need more "
            "memory and a higher learning rate. At least 2, since batch normalization needs "
            "several images."
        ),
        unit=N_("images"),
        minimum=2,
        maximum=4096,
    )
    learning_rate: float = setting(
        0.002,
        TRAINING,
        N_("Learning rate"),
        N_(
            "How far each step moves the weights. If it is too high, the loss jumps or becomes "
            "NaN; if it is too low, the loss hardly falls. 0.001 suits Adam, 0.01 to 0.1 suits "
            "SGD. Schedules start from this value; one-cycle has it at its peak."
        ),
        minimum=1e-8,
        maximum=10.0,
        logarithmic=True,
    )
    layer_decay: float = setting(
        1.0,
        TRAINING,
        N_("Layer-wise decay"),
        N_(
            "Lowers the learning rate from stage to stage: the classifier has all of it, the stage "
            "before it this share of it, the stage before that this share again, and so on. Early "
            "layers, which recognize edges and colors, then change least. 1 is one learning rate "
            "for all layers; 0.7 to 0.9 is usual (Bao et al. 2021)."
        ),
        minimum=0.01,
        maximum=1.0,
        step=0.05,
        matters=lambda recipe: recipe.mode == "transfer",
    )
    optimizer: str = setting(
        "adamw",
        TRAINING,
        N_("Optimizer"),
        N_(
            "The rule that turns gradients into steps. AdamW is a safe choice; SGD with momentum "
            "can end better but needs a well-chosen learning rate."
        ),
        choices=(
            ("adam", N_("Adam")),
            ("adamw", N_("AdamW")),
            ("sgd", N_("SGD with momentum")),
            ("rmsprop", N_("RMSprop")),
        ),
    )
    momentum: float = setting(
        0.9,
        TRAINING,
        N_("Momentum"),
        N_("How much of the last step SGD and RMSprop carry over into the next."),
        maximum=0.999,
        step=0.05,
        matters=lambda recipe: recipe.optimizer in ("sgd", "rmsprop"),
    )
    weight_decay: float = setting(
        0.05,
        TRAINING,
        N_("Weight decay"),
        N_(
            "Pulls weights towards zero at every step, which reduces overfitting. Biases and "
            "normalization layers are not decayed."
        ),
        maximum=10.0,
        step=0.01,
        zero=N_("none"),
    )
    scheduler: str = setting(
        "one-cycle",
        TRAINING,
        N_("Schedule"),
        N_(
            "How the learning rate changes during a run. StepLR multiplies it by gamma every few "
            "epochs, cosine lowers it smoothly, one-cycle warms it up first, plateau lowers it "
            "when the validation loss no longer improves."
        ),
        choices=(
            ("step", N_("StepLR")),
            ("cosine", N_("Cosine")),
            ("one-cycle", N_("One-cycle")),
            ("plateau", N_("Plateau")),
            ("none", N_("Constant")),
        ),
    )
    step_size: int = setting(
        30,
        TRAINING,
        N_("Step size"),
        N_("StepLR lowers the learning rate after every this many epochs."),
        unit=N_("epochs"),
        minimum=1,
        maximum=10_000,
        matters=lambda recipe: recipe.scheduler == "step",
    )
    plateau_patience: int = setting(
        10,
        TRAINING,
        N_("Patience"),
        N_(
            "Plateau lowers the learning rate when the validation loss has not improved for more "
            "than this many epochs."
        ),
        unit=N_("epochs"),
        minimum=1,
        maximum=10_000,
        matters=lambda recipe: recipe.scheduler == "plateau",
    )
    gamma: float = setting(
        0.1,
        TRAINING,
        N_("Gamma"),
        N_("What StepLR and plateau multiply the learning rate by."),
        minimum=0.001,
        maximum=1.0,
        step=0.05,
        matters=lambda recipe: recipe.scheduler in ("step", "plateau"),
    )
    freeze_batch_norm: bool = setting(
        False,
        TRAINING,
        N_("Freeze batch statistics"),
        N_(
            "Normalizes with the pretrained mean and variance (batch normalization in evaluation "
            "mode) while the layers around it are fine-tuned. Small batches of few images would "
            "shift them, and with them all that the network has learned."
        ),
        matters=lambda recipe: recipe.mode == "transfer",
    )
    label_smoothing: float = setting(
        0.1,
        TRAINING,
        N_("Label smoothing"),
        N_(
            "The share of probability that is taken from the true class and spread over all "
            "classes. 0.1 keeps the network from being overconfident."
        ),
        maximum=0.9,
        step=0.05,
        zero=N_("none"),
    )
    ema: float = setting(
        0.0,
        TRAINING,
        N_("EMA"),
        N_(
            "Keeps an exponential moving average of the weights, with this decay per step, and "
            "validates, saves and predicts with it. 0.99 to 0.999 gives steadier, often better "
            "results."
        ),
        maximum=0.99999,
        step=0.001,
        zero=N_("off"),
        switched_on=0.998,
    )

    image_size: int = setting(
        0,
        IMAGES,
        N_("Image size"),
        N_(
            "The height and width of the images that the network sees. Half the size trains four "
            "times faster but shows less detail. Pretrained weights were made for the network's "
            "own size."
        ),
        unit=N_("px"),
        minimum=16,
        maximum=1024,
        step=16,
        zero=N_("the network's own"),
    )
    training_size: int = setting(
        0,
        IMAGES,
        N_("Training size"),
        N_(
            "The resolution used in training, if it is lower than the image size. Random crops "
            "make objects look larger in training than in validation; evaluating at a higher "
            "resolution compensates (FixRes). About three quarters of the image size trains "
            "faster and predicts better."
        ),
        unit=N_("px"),
        minimum=16,
        maximum=1024,
        step=16,
        zero=N_("as image size"),
    )
    first_training_size: int = setting(
        0,
        IMAGES,
        N_("First training size"),
        N_(
            "Starts training at this resolution and grows to the training size over the first 80% "
            "of the epochs (progressive resizing). Epochs at a low resolution are several times "
            "faster."
        ),
        unit=N_("px"),
        minimum=16,
        maximum=1024,
        step=16,
        zero=N_("as training size"),
    )
    augmentation: str = setting(
        "light",
        IMAGES,
        N_("Augmentation"),
        N_(
            "Changes every image a little at random each time, which reduces overfitting. Light "
            "crops, flips and shifts colors; strong also rotates, distorts and erases parts."
        ),
        choices=(("none", N_("None")), ("light", N_("Light")), ("strong", N_("Strong"))),
    )
    cached_views: int = setting(
        0,
        IMAGES,
        N_("Cached augmentations"),
        N_(
            "How many augmented versions of each image to cache. Frozen layers at the start of "
            "the network run once for each version; later epochs only train the rest, and are "
            "much faster."
        ),
        unit=N_("versions"),
        minimum=0,
        maximum=100,
        zero=N_("new ones every epoch"),
        switched_on=4,
        matters=lambda recipe: recipe.augmentation != "none",
    )
    mixup: float = setting(
        0.0,
        IMAGES,
        N_("MixUp"),
        N_(
            "Blends pairs of images and their labels. The number is alpha of the Beta "
            "distribution that draws the blend; 0.2 is usual. It helps long runs."
        ),
        maximum=10.0,
        step=0.1,
        zero=N_("off"),
        switched_on=0.2,
    )
    cutmix: float = setting(
        0.0,
        IMAGES,
        N_("CutMix"),
        N_(
            "Pastes a piece of one image into another and mixes their labels. The number is alpha "
            "of the Beta distribution that draws its size; 1 is usual."
        ),
        maximum=10.0,
        step=0.1,
        zero=N_("off"),
        switched_on=1.0,
    )
    validation_fraction: float = setting(
        0.2,
        IMAGES,
        N_("Validation fraction"),
        N_(
            "The share of the images of every class that is used for validation and not for "
            "training. It is used if the folder has no validation images of its own."
        ),
        minimum=0.01,
        maximum=0.9,
        step=0.05,
    )
    drop_last: bool = setting(
        False,
        IMAGES,
        N_("Drop last batch"),
        N_("Leaves out the last batch of an epoch if it is smaller than the others."),
    )
    seed: int = setting(
        0,
        MACHINE,
        N_("Seed"),
        N_("The seed of all random numbers. The same seed gives the same run."),
        minimum=0,
        maximum=2**31 - 1,
    )
    device: str = setting(
        "auto",
        MACHINE,
        N_("Device"),
        N_("Where the network is trained. Auto uses the GPU if there is one."),
        choices=(
            ("auto", N_("Auto")),
            ("cpu", N_("CPU")),
            ("cuda", N_("NVIDIA or AMD GPU (cuda)")),
            ("mps", N_("Apple GPU (mps)")),
        ),
    )
    precision: str = setting(
        "auto",
        MACHINE,
        N_("Precision"),
        N_(
            "The number format of training. Auto times a few batches of the network on this "
            "machine and takes bfloat16 unless float32 is faster."
        ),
        choices=(
            ("auto", N_("Auto")),
            ("float32", N_("float32")),
            ("bfloat16", N_("bfloat16")),
            ("float16", N_("float16 (GPU)")),
        ),
    )
    compiled: bool = setting(
        False,
        MACHINE,
        N_("Compile the network"),
        N_(
            "Compiles the trained layers for this GPU with torch.compile. That takes a minute or "
            "more before the first batch and pays off in long runs. On a CPU it has no effect."
        ),
    )
    feature_cache: bool = setting(
        True,
        MACHINE,
        N_("Feature cache"),
        N_(
            "Frozen layers at the start of the network run once for each image that does not "
            "change; their output is cached in memory or in a file until the run ends."
        ),
    )
    photo_cache: bool = setting(
        True,
        MACHINE,
        N_("Image cache"),
        N_(
            "Keeps decoded images that do not fit in memory, and large ones, in a folder for the "
            "next run: at most 20 GB, and at most 25% of the free disk space."
        ),
    )
    workers: int = setting(
        0,
        MACHINE,
        N_("Loading workers"),
        N_(
            "Threads that prepare the next batches while the network trains. Auto uses none on a "
            "CPU, where the network needs all cores, and one for each core, at most eight, with a "
            "GPU. The result does not depend on it."
        ),
        unit=N_("threads"),
        minimum=0,
        maximum=64,
        zero=N_("auto"),
    )
    processes: int = setting(
        1,
        MACHINE,
        N_("Processes"),
        N_(
            "Processes on this machine that train the network together, each with its share of "
            "every batch: one for each graphics card. On a CPU, one process is the fastest."
        ),
        minimum=1,
        maximum=64,
    )
    recover: bool = setting(
        False,
        MACHINE,
        N_("Recover from NaN"),
        N_(
            "If the loss becomes NaN or infinite, rolls back to the last checkpoint and continues "
            "with half the learning rate, at most three times. Otherwise the run ends there with "
            "an error."
        ),
    )
    save_minutes: float = setting(
        2.0,
        MACHINE,
        N_("Save every"),
        N_(
            "How much of a run is lost at most if the program is killed or the power fails. A run "
            "is also saved at the end of epochs, at Pause and at Stop."
        ),
        unit=N_("min"),
        minimum=0.1,
        maximum=60.0,
        step=1.0,
    )

    def problems(self) -> dict[str, str]:
        """Maps names of fields to why their values are not valid, a sentence each. Empty if all
        are."""
        found = {}
        if not isinstance(self.photos, str) or "\0" in self.photos:
            found["photos"] = tr("The folder of images must be a path.")
        for each in SETTINGS:
            if reason := each.problem(getattr(self, each.name)):
                found[each.name] = reason
        if not found:
            if self.mode == "transfer" and not self.weights:
                found["weights"] = tr(
                    "Transfer learning needs pretrained weights. Choose ImageNet weights or a file."
                )
            if self.precision == "float16" and self.device == "cpu":
                found["precision"] = tr("float16 needs a GPU. Use bfloat16 on a CPU.")
            try:
                for entry in self.unfreeze_schedule:
                    parse_entry(entry)
            except FlowerError as error:
                found["unfreeze_schedule"] = str(error)
        return found

    def checked(self) -> Self:
        """Returns the recipe itself. Raises FlowerError, with the first problem, if a value is not
        valid."""
        for reason in self.problems().values():
            raise FlowerError(reason)
        return self

    def fits_head_in(self, epoch: int) -> bool:
        """Whether `epoch` (from 1) fits the head instead of training."""
        return self.fit_head and self.mode == "transfer" and epoch == 1

    @property
    def unfreezes(self) -> bool:
        """Whether the run itself unfreezes layers that are frozen at first."""
        return bool(self.unfreeze_epoch or self.unfreeze_schedule)

    @property
    def unfreeze_epoch(self) -> int:
        """The epoch (from 1) from which on all frozen layers train that `unfreeze_schedule` does
        not name; 0 if they stay frozen."""
        return self.freeze_epochs + 1 if self.freeze_epochs and self.mode == "transfer" else 0

    @property
    def learning_rate_decay(self) -> float:
        """By what the learning rate falls from a stage to the one before it; 1.0 for not at all."""
        return self.layer_decay if self.mode == "transfer" else 1.0

    def as_dict(self) -> dict[str, Any]:
        """The fields as builtins that JSON can hold."""
        values = asdict(self).items()
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """The recipe that `as_dict` gave. Unknown fields, of a later version, are ignored, and
        missing ones have the defaults of the versions that did not store them. Whole numbers may be
        written as 3.0. Raises FlowerError if a value is not valid."""
        if not isinstance(stored, Mapping):
            raise FlowerError(tr("A recipe is a list of settings with their values."))
        known: dict[str, Any] = dict(_DEFAULTS_BEFORE)
        known |= {f.name: stored[f.name] for f in fields(cls) if f.name in stored}
        if "plateau_patience" not in known and isinstance(known.get("step_size"), int):
            known["plateau_patience"] = max(known["step_size"] // 3, 1)  # as versions before did
        for each in SETTINGS:
            value = known.get(each.name)
            if isinstance(each.default, tuple) and isinstance(value, list):
                known[each.name] = tuple(value)
            if type(each.default) is int and isinstance(value, float) and value.is_integer():
                known[each.name] = int(value)
        return cls(**known).checked()


def _settings() -> Iterable[Setting]:
    for each in fields(Recipe):
        if "label" in each.metadata:
            default: Any = each.default
            yield Setting(name=each.name, default=default, **each.metadata)


SETTINGS: tuple[Setting, ...] = tuple(_settings())
"""Every field of Recipe but `photos`, in the order in which frontends show them."""

SETTING: dict[str, Setting] = {each.name: each for each in SETTINGS}


RESUMABLE = (
    *("minutes", "epochs", "learning_rate", "frozen", "unfreeze_schedule", "device", "precision"),
    *("compiled", "feature_cache", "photo_cache", "workers", "processes", "recover"),
    "save_minutes",
)
"""The settings that may change when a run is resumed, beside the folder of its images."""
