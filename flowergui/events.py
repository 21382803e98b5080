"""Frozen facts that a run tells, in the past tense and in plain numbers.

Paths are strings, accuracies and probabilities run from 0 to 1, times are in seconds, and
epochs, batches and steps count from 1: `step` is the number of optimizer steps done so far.
A face matches on the class; `as_dict` gives the line that `--json` prints.
"""

from dataclasses import asdict, dataclass
from typing import Any

from flowergui.config.recipe_diff import Difference
from flowergui.facts import (
    Check,
    ClassCount,
    ClassScore,
    Confusion,
    DeviceNotice,
    Heatmap,
    ModelFacts,
    ModuleFacts,
    ParameterFacts,
    Prediction,
    Problem,
    RunFacts,
    Speedup,
)

# --- photos -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """`checked` of `found` files have been looked at."""

    checked: int
    found: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """A folder was understood. `layout` is "flat" (one folder a class; we split) or "split"
    (ready train and validation folders). In a flat folder, or a split one without validation
    photos, every `ClassCount.validation` is 0 and a part of train will be held back. Unless it is
    `checked`, the files are listed but not opened: there may be more problems."""

    folder: str
    layout: str
    classes: tuple[ClassCount, ...]
    problems: tuple[Problem, ...]
    checked: bool = True


@dataclass(frozen=True, slots=True)
class SampleProgress:
    """`drawn` of `total` sample flowers are on disk."""

    drawn: int
    total: int


@dataclass(frozen=True, slots=True)
class SampleDrawn:
    """The sample flowers are ready in `folder`."""

    folder: str


# --- networks ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelsListed:
    """Every architecture that can be trained."""

    models: tuple[ModelFacts, ...]


@dataclass(frozen=True, slots=True)
class DeviceNoticed:
    """A GPU of this machine is not used; `command` is the shell command that changes that."""

    kind: DeviceNotice
    command: str


@dataclass(frozen=True, slots=True)
class ModelDescribed:
    """A network as it would be built for `class_count` classes and `image_size` pixels.

    `head` names the parameters of the last layer, that transfer learning replaces;
    `last_stage` those of the stage before it (the head not included).
    """

    model: str
    class_count: int
    image_size: int
    parameters: tuple[ParameterFacts, ...]
    modules: tuple[ModuleFacts, ...]
    head: tuple[str, ...]
    last_stage: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """`done` of `total` bytes of `name` have come (`total` is 0 where the server won't say)."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class WeightsSaved:
    """Pretrained weights lie in a file of their own."""

    path: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A trained network lies in a file for other programs."""

    path: str


@dataclass(frozen=True, slots=True)
class CacheState:
    """What `folder` keeps of decoded photos: `photos` of them, in `size` bytes; `removed` bytes
    were cleared away."""

    folder: str
    photos: int
    size: int
    removed: int = 0


# --- a run ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preparing:
    """What happens before the first batch (decoding photos, say): `done` of `total`, which is 0
    where nobody knows it, as is `done` where nothing is counted."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ResumeChecked:
    """What a run would meet if it were resumed now, nothing changed yet. `new_photos` (a number)
    and `new_classes` could be taken in; `renamed` are the pairs of old and new names of classes
    that the names of their photos suggest. `epochs_left` tells whether there is anything to do."""

    run: str
    checks: tuple[Check, ...]
    new_photos: int
    new_classes: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    epochs_left: int


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run is about to train. `epoch`, `batch` and `step` are where it stands: 1, 0, 0 for a
    new run. `image_size`, `device` and `precision` are what "auto" came to; `speedup` is how many
    times as fast steps were in that precision as in the other one that was tried, 0.0 where none
    was."""

    run: str
    model: str
    mode: str
    classes: tuple[str, ...]
    train_photos: int
    validation_photos: int
    image_size: int
    device: str
    precision: str
    epochs: int
    batches: int
    epoch: int
    batch: int
    step: int
    trainable: int
    parameters: int
    frozen: tuple[str, ...]
    resumed: bool
    speedup: float = 0.0


@dataclass(frozen=True, slots=True)
class BatchDone:
    """One optimizer step. `loss` is the batch's mean, `accuracy` its share of right answers
    (against the likelier label where labels were mixed); `batches` an epoch has."""

    epoch: int
    batch: int
    batches: int
    step: int
    loss: float
    accuracy: float
    learning_rate: float
    photos: int


@dataclass(frozen=True, slots=True)
class Estimated:
    """What a step on made-up photos says of a run: seconds of the `first_epoch`, of a later
    `epoch`, and of all; the `largest_batch` whose photos fit into memory; `where` ("memory" or
    "file"; "" for nowhere) what frozen layers give is kept, and the `size` in bytes that it takes,
    or would take where it has no room; 0 where nothing could be kept; a way that takes far less
    time, where there is one."""

    epoch: float
    first_epoch: float
    seconds: float
    largest_batch: int
    where: str = ""
    size: int = 0
    speedups: Speedup | None = None


@dataclass(frozen=True, slots=True)
class FeatureCacheStatus:
    """What becomes of the layers that are frozen at the beginning, from the step after `step` on,
    for the photos of one `part` ("train" or "validation"). `where` ("memory" or "file") their
    output for `views` of each photo is kept, some `size` bytes in all; or, where `where` is
    empty, why they run for every photo in every epoch."""

    step: int
    part: str
    where: str
    views: int
    size: int
    why_not: str


@dataclass(frozen=True, slots=True)
class ValidationProgress:
    """`batch` of `batches` validation batches are done."""

    epoch: int
    batch: int
    batches: int


@dataclass(frozen=True, slots=True)
class EpochDone:
    """An epoch is over. The validation figures are None where no photo was held back.
    `best_accuracy` and `best_epoch` are the run's so far, this epoch included."""

    epoch: int
    epochs: int
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    best_accuracy: float
    best_epoch: int
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class FrozenChanged:
    """From the step after `step` on, these parameters are frozen."""

    step: int
    frozen: tuple[str, ...]
    trainable: int
    parameters: int


@dataclass(frozen=True, slots=True)
class LearningRateChanged:
    """From the step after `step` on, the schedule has this base learning rate."""

    step: int
    learning_rate: float


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The loss was no number: the run goes on from its last checkpoint, after `step`, with the
    base learning rate `learning_rate`. What it did since is forgotten."""

    epoch: int
    batch: int
    step: int
    learning_rate: float
    reason: str


@dataclass(frozen=True, slots=True)
class TrainingSizeChanged:
    """From the step after `step` on, training looks at squares of `size` pixels a side."""

    step: int
    size: int


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint is safely on disk."""

    path: str
    epoch: int
    batch: int


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """A checkpoint could not be written; training goes on."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FinalSaveFailed:
    """A run is at its end, and what came last could not be saved: when the run is over, it is
    lost. A face that sets `live.save` before it takes the next event has it tried once more."""

    run: str
    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know that stops nothing."""

    message: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run ended before its last epoch, as asked; `run` can be resumed."""

    run: str
    epoch: int
    batch: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The run did all its epochs."""

    run: str
    epochs: int
    best_accuracy: float
    best_epoch: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RunListed:
    """What a run on disk has come to: each of its epochs, the one that best.pth is of (None where
    no photo was held back), how long all of them took, the bytes that its files take, and when it
    `began`, as text that sorts by time."""

    run: RunFacts
    epochs: tuple[EpochDone, ...]
    best: EpochDone | None
    seconds: float
    size: int
    began: str


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """In what the recipes of these runs (paths of their folders) differ: each difference has a
    value for each run, in this order."""

    runs: tuple[str, ...]
    differences: tuple[Difference, ...]


# --- prediction -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a photo shows: up to five guesses, likeliest first. `checkpoint` answered."""

    path: str
    predictions: tuple[Prediction, ...]
    checkpoint: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Explained:
    """Why the network says what it says of a photo: a Heatmap for each of its guesses, in their
    order, over the middle square of the photo, which is what it sees; all 0 where nothing speaks
    for a class. `picture` is a file that shows the first, "" for none."""

    path: str
    heatmaps: tuple[Heatmap, ...]
    picture: str = ""


@dataclass(frozen=True, slots=True)
class PredictionFailed:
    """A photo could not be read; the others go on."""

    path: str
    reason: str


# --- evaluation -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PhotoEvaluated:
    """What a network says of a photo whose class, its `label`, is known: its likeliest `guess`,
    and the probabilities of both."""

    path: str
    label: str
    predicted: str
    probability: float
    label_probability: float

    @property
    def correct(self) -> bool:
        """Whether the guess is the label."""
        return self.predicted == self.label


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How well `checkpoint`, of `epoch`, does on photos in `folder` that it has not learned from,
    as far as that is known.

    `loss` is the mean cross entropy, `top5` the share of photos whose label is among the five
    likeliest classes (None of up to ten, where it says little). `confusions` are the mistakes by
    classes, the most frequent first, and `surest` single ones, by the probability of the guess.
    Photos that could not be read are `problems`; `learned` counts those left out because it has
    learned from them (None where nobody knows which: it is in no run's folder), and `strangers`
    names the classes that it does not know, left out too.
    """

    checkpoint: str
    epoch: int
    folder: str
    photos: int
    accuracy: float
    top5: float | None
    loss: float
    classes: tuple[ClassScore, ...]
    confusions: tuple[Confusion, ...]
    most_confident_errors: tuple[PhotoEvaluated, ...]
    problems: tuple[Problem, ...]
    trained_on: int | None
    unknown_classes: tuple[str, ...]


Event = (
    ScanProgress
    | Scanned
    | SampleProgress
    | SampleDrawn
    | ModelsListed
    | DeviceNoticed
    | ModelDescribed
    | DownloadProgress
    | WeightsSaved
    | Exported
    | CacheState
    | RunListed
    | RunsCompared
    | Preparing
    | Estimated
    | FeatureCacheStatus
    | ResumeChecked
    | RunStarted
    | BatchDone
    | ValidationProgress
    | EpochDone
    | FrozenChanged
    | LearningRateChanged
    | RolledBack
    | TrainingSizeChanged
    | Saved
    | SaveFailed
    | FinalSaveFailed
    | Warned
    | Stopped
    | Finished
    | Predicted
    | Explained
    | PredictionFailed
    | PhotoEvaluated
    | Evaluated
)


def as_dict(event: Event) -> dict[str, Any]:
    """The event as JSON-ready builtins, its class name first, under "event"."""
    fields = asdict(event)
    if isinstance(event, Predicted):
        fields["predictions"] = [
            {"class": guess.name, "probability": guess.probability} for guess in event.predictions
        ]
    return {"event": type(event).__name__, **fields}
