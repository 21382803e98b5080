"""Events: frozen facts that a task yields, in the past tense and as plain values.

Paths are strings. Accuracies and probabilities run from 0 to 1. Times are in seconds. Epochs,
batches and steps count from 1; `step` is the number of optimizer steps done so far. Frontends match
on the class; `as_dict` gives what `--json` prints.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from flowergui.config.recipe import Recipe
from flowergui.config.recipe_diff import Difference
from flowergui.config.validation_split import validation_count
from flowergui.facts import (
    Check,
    ClassCount,
    ClassScore,
    Confusion,
    CurvePoint,
    DeviceNotice,
    Heatmap,
    ModelFacts,
    ModuleFacts,
    ParameterFacts,
    Prediction,
    Problem,
    RunFacts,
    Speedup,
    StageFacts,
    WhyNotCached,
)

# --- photos -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """`checked` of `found` files have been checked. `waits_for` is the path of a file or folder
    that is not read after some seconds; else it is ""."""

    checked: int
    found: int
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A folder was scanned.

    `layout` is "flat" (a subfolder for each class, which the program splits) or "split" (ready
    train and validation folders). In a flat folder, or in a split one without validation images,
    every `ClassCount.validation` is 0, and a share of the training images will be used for
    validation. Unless it is `checked`, the files are listed but not opened, so there may be more
    problems. `notes` are sentences on how the folder was understood. `leftovers` are files that
    nobody takes for images, such as labels and hidden files.
    """

    folder: str
    layout: str
    classes: tuple[ClassCount, ...]
    problems: tuple[Problem, ...]
    checked: bool = True
    notes: tuple[str, ...] = ()
    leftovers: tuple[Problem, ...] = ()

    def split_counts(self, fraction: float) -> tuple[int, int]:
        """How many images train and how many validate: by the folder's own split, if it has one,
        else where `fraction` of each class validates."""
        train = sum(each.train for each in self.classes)
        validation = sum(each.validation for each in self.classes)
        if not validation:
            validation = sum(validation_count(each.train, fraction) for each in self.classes)
            train -= validation
        return train, validation


@dataclass(frozen=True, slots=True)
class SampleProgress:
    """`drawn` of `total` sample images are on disk."""

    drawn: int
    total: int


@dataclass(frozen=True, slots=True)
class SampleDrawn:
    """The sample dataset is complete in `folder`."""

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
class DevicesDescribed:
    """The devices that networks can run on: the kind, name and size of each, in a line."""

    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelDescribed:
    """A network as it would be built for `class_count` classes and images of `image_size` pixels.

    `head` names the parameters of the classifier, which transfer learning replaces. `last_stage`
    names those of the stage before it, without the head. `stages` are all of them, in the order in
    which images pass through them.
    """

    model: str
    class_count: int
    image_size: int
    parameters: tuple[ParameterFacts, ...]
    modules: tuple[ModuleFacts, ...]
    head: tuple[str, ...]
    last_stage: tuple[str, ...]
    stages: tuple[StageFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """`done` of `total` bytes of `name` are downloaded. `total` is 0 if the server does not say."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class WeightsSaved:
    """Pretrained weights are saved in the file `path`."""

    path: str


@dataclass(frozen=True, slots=True)
class WeightsFound:
    """The `files` with weights of `model` that were saved for use offline."""

    model: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """A trained network is saved in the file `path`, for other programs."""

    path: str


@dataclass(frozen=True, slots=True)
class CacheState:
    """The cache of decoded images in `folder`: it holds `photos` images in `size` bytes, after
    `removed` bytes were deleted."""

    folder: str
    photos: int
    size: int
    removed: int = 0


# --- a run ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preparing:
    """Progress of the work before the first batch, as decoding images: `done` of `total` units of
    `what`. Both are 0 if nothing is counted; `total` alone is 0 if it is unknown."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ResumeChecked:
    """What resuming a run would meet. Nothing has been changed.

    `new_photos` (a number of images) and `new_classes` could be added. `renamed` are pairs of the
    old and the new name of a class, suggested by the names of its images. `epochs_left` is 0 if
    there is nothing left to train. `recipe` is the one that the run would continue with: what it
    used last, live changes included, and the changes asked for. Unless `in_place`, the checkpoint
    is older than the run's newest state, and would be continued in a new run folder.
    """

    run: str
    checks: tuple[Check, ...]
    new_photos: int
    new_classes: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    epochs_left: int
    recipe: Recipe | None = None
    in_place: bool = True


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run is about to train.

    `epoch`, `batch` and `step` are its position: 1, 0, 0 for a new run. `image_size` (pixels),
    `device` and `precision` are resolved, never "auto". `speedup` is how many times faster steps
    were in this precision than in the other one that was tried; 0.0 if none was. `learning_rate` is
    the base learning rate of the schedule; 0.0 if it is not known. `training_size` is the recipe's,
    which a time budget may have chosen; None if it is not known.
    """

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
    learning_rate: float = 0.0
    training_size: int | None = None


@dataclass(frozen=True, slots=True)
class BatchDone:
    """One optimizer step, or, while the head is fitted, a batch that it is measured on before it
    sees it; `learning_rate` is 0 then. `loss` is the mean over the batch. `accuracy` is the share
    of correct predictions, compared with the label of the larger weight where labels are mixed.
    `batches` is the number of batches of an epoch, `photos` that of the images in this one."""

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
    """The cost of a run, estimated from training steps on random images.

    `first_epoch`, a later `epoch` and the whole run, `seconds`, are in seconds. `largest_batch` is
    the largest batch size whose images fit in memory. The feature cache would be kept in `where`
    ("memory" or "file"; "" for nowhere) and needs `size` bytes; 0 if nothing can be cached.
    `speedup` is a way to take far less time; None if there is none. `epochs` is how many epochs the
    run would have, as many as its time budget allows if it has one.
    """

    epoch: float
    first_epoch: float
    seconds: float
    largest_batch: int
    where: str = ""
    size: int = 0
    speedup: Speedup | None = None
    epochs: int = 0


@dataclass(frozen=True, slots=True)
class FeatureCacheStatus:
    """From the step after `step` on, the output of the frozen layers is cached for the images of
    one `part` ("train" or "validation").

    `where` is "memory" or "file", `views` the number of augmented versions of each image, and
    `size` the bytes of all. If `where` is empty, the frozen layers run for every image in every
    epoch, and `why_not` says why; `size` is then what would be needed, 0 if that is unknown.
    """

    step: int
    part: str
    where: str
    views: int
    size: int
    why_not: WhyNotCached | None = None


@dataclass(frozen=True, slots=True)
class HeadFitted:
    """The head was fitted on the features of `photos` training images by logistic regression, with
    the inverse regularization strength `c` (as scikit-learn's, on features that are centred and
    scaled in one common unit).

    `accuracy` is the cross-validated accuracy on these images, or on some of them if there are
    many, and `low` to `high` its 95% Wilson interval.
    """

    epoch: int
    step: int
    photos: int
    c: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ValidationProgress:
    """`batch` of `batches` validation batches are done."""

    epoch: int
    batch: int
    batches: int


@dataclass(frozen=True, slots=True)
class EpochDone:
    """An epoch is over. The validation figures are None if there is no validation set.
    `best_accuracy` and `best_epoch` are the best of the run so far, this epoch included."""

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
    """From the step after `step` on, the parameters `frozen` are frozen."""

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
    """The loss became NaN or infinite: the run was rolled back to its last checkpoint, after
    `step`, and continues with the base learning rate `learning_rate`."""

    epoch: int
    batch: int
    step: int
    learning_rate: float
    reason: str


@dataclass(frozen=True, slots=True)
class TrainingSizeChanged:
    """From the step after `step` on, training images have `size` by `size` pixels."""

    step: int
    size: int


@dataclass(frozen=True, slots=True)
class Saved:
    """The checkpoint `path` is safely on disk."""

    path: str
    epoch: int
    batch: int


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """The checkpoint `path` could not be written; or history.csv or changes.jsonl, although a
    checkpoint was. The run continues, and its next save tries again."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FinalSaveFailed:
    """A run is at its end, and its last state could not be saved: it is lost when the run is over.
    A frontend that sets `live.save` before it takes the next event has it tried again."""

    run: str
    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """A sentence for the user. Nothing is stopped by it."""

    message: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was stopped before its last epoch, as requested. `run` can be resumed."""

    run: str
    epoch: int
    batch: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has trained all its epochs. `best_accuracy` is 0.0 and says nothing unless the run
    was `validated`."""

    run: str
    epochs: int
    best_accuracy: float
    best_epoch: int
    seconds: float
    validated: bool = True


@dataclass(frozen=True, slots=True)
class RunWatched:
    """What the folder of a run says now that another process trains, or has trained.

    `host` is the machine where it trains; "" if that is not known. It `is_training` as far as the
    folder says: a process that was killed on another machine can't say so. `reads_requests`: it can
    be asked to save or to stop; `stop_requested`: it was, and has not obeyed yet. The rows of its
    history, which are written with each checkpoint, are `seconds_since_written` old; None before
    the first. `saved_at_ns` differs when its checkpoints are others.
    """

    run: RunFacts
    is_training: bool
    host: str
    reads_requests: bool
    stop_requested: bool
    seconds_since_written: float | None
    saved_at_ns: int

    @property
    def is_overdue(self) -> bool:
        """Whether it should have written something long ago: five times its interval of saving, and
        at least ten minutes."""
        longest = max(5 * 60 * self.run.recipe.save_minutes, 600)
        return self.is_training and (self.seconds_since_written or 0) > longest


@dataclass(frozen=True, slots=True)
class RunAsked:
    """The run in the folder `run` was asked to save or to `stop`, by a file that its process will
    read within seconds."""

    run: str
    stop: bool


@dataclass(frozen=True, slots=True)
class JobWritten:
    """All that a run needs on a cluster, but its images, is in `folder`; `files` are their
    names."""

    folder: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunListed:
    """The results of a run on disk: its epochs, the one that best.pth was saved in (None without a
    validation set), the `seconds` of all epochs, the bytes of its files, and when it `began`, as
    text that sorts by time."""

    run: RunFacts
    epochs: tuple[EpochDone, ...]
    best: EpochDone | None
    seconds: float
    size: int
    began: str


@dataclass(frozen=True, slots=True)
class RunsFound:
    """The runs on disk, the one last trained first, and the path of a last.pth that is in no run
    folder, as the tutorial saves it ("" for none); whether that file is newer than the newest run;
    and the folders that can't be read."""

    runs: tuple[RunFacts, ...]
    bare_weights: str
    bare_weights_newer: bool
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFound:
    """The run that `checkpoint` belongs to; None where it is in no run folder."""

    checkpoint: str
    run: RunFacts | None


@dataclass(frozen=True, slots=True)
class RunsCompared:
    """The settings in which runs differ. `runs` are the paths of their folders; each difference has
    a value for each of them, in this order."""

    runs: tuple[str, ...]
    differences: tuple[Difference, ...]


# --- prediction -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Predicted:
    """The predictions for an image by `checkpoint`, up to five, the most probable first."""

    path: str
    predictions: tuple[Prediction, ...]
    checkpoint: str
    epoch: int

    @property
    def best(self) -> Prediction:
        """The most probable class."""
        return self.predictions[0]

    def is_unsure(self, below: float) -> bool:
        """Whether the probability of the most probable class is less than `below`."""
        return self.best.probability < below


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a network predicts what it predicts for an image: a Heatmap for each prediction, in their
    order, over the central square that the network sees. A heatmap is all 0 if nothing speaks for
    its class. `picture` is a file that shows the first one; "" for none."""

    path: str
    heatmaps: tuple[Heatmap, ...]
    picture: str = ""


@dataclass(frozen=True, slots=True)
class ClassListed:
    """The image files of a class, in both splits of its folder; `paths` are whole."""

    name: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathsSorted:
    """What paths are that a user dropped, pasted or chose: files, and folders that are datasets.
    The images of a folder that is none are among the files."""

    files: tuple[str, ...]
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhotosFound:
    """The images that are named, and those in the folders that are named. `problems` are what was
    left out in these folders."""

    photos: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class PredictionFailed:
    """An image could not be read. The others are predicted all the same."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class PhotoCopied:
    """The image at `path` was copied to `copy`, as number `done` of `total`."""

    path: str
    copy: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CopyFailed:
    """An image could not be copied. The others are copied all the same."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class SortedIntoFolders:
    """Images were copied into a folder for each predicted class in `folder`: `copied` of them,
    `unsure` of these into the folder of the unsure ones. `failed` could not be copied. It was
    `stopped` on request, or has done all. `manifest` is the table of the copies; "" for none."""

    folder: str
    manifest: str
    copied: int
    unsure: int
    failed: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class CopiesRemoved:
    """The copies that `manifest` lists were removed. `kept` are those that were changed since;
    `failed` could not be removed, and may be tried again."""

    manifest: str
    removed: int
    kept: tuple[Problem, ...]
    failed: tuple[Problem, ...] = ()


# --- evaluation -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PhotoEvaluated:
    """The prediction for an image whose class, `label`, is known: the most probable class,
    `predicted`, and the probabilities of both. That of a label that was corrected since may not be
    known (None)."""

    path: str
    label: str
    predicted: str
    probability: float
    label_probability: float | None

    @property
    def correct(self) -> bool:
        """Whether the predicted class is the label."""
        return self.predicted == self.label


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The results of `checkpoint`, of `epoch`, on images in `folder` that it was not trained on, as
    far as that is known.

    `loss` is the mean cross entropy. `top5` is the top-5 accuracy; None for up to ten classes.
    `confusions` are pairs of classes, the most frequent first; `most_confident_errors` are single
    images, by the probability of the wrong class. `problems` are the images that could not be read.
    `trained_on` counts the images that were skipped because they were used for training; None if
    that is unknown because the checkpoint is in no run folder. `unknown_classes` are classes that
    the network does not have; their images were skipped.
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


# --- labels that are corrected -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LabelCorrected:
    """An image of the class `label` was moved from `path` to `moved_to`: into the folder of the
    class `new_label`, or, where that is "", out of the dataset in `folder`.

    `run` is the folder of the run whose split.csv names the image by its new place now, or no
    longer; "" for none. `row` is the row that it had there, and its number from 0.
    """

    folder: str
    path: str
    label: str
    moved_to: str
    new_label: str
    run: str = ""
    row: tuple[int, tuple[str, str, str, int | None]] | None = None


@dataclass(frozen=True, slots=True)
class CorrectionUndone:
    """What LabelCorrected says was undone."""

    undone: LabelCorrected


# --- linear classifiers on features of frozen networks ------------------------------------------


@dataclass(frozen=True, slots=True)
class NetworkCompared:
    """How well the features of a network suit a dataset: a logistic regression on them has the
    cross-validated `accuracy` on `photos` images, with a 95% interval from `low` to `high`, and the
    mean cross entropy `loss`.

    `weights` is their name or the path of their file. For an image of `image_size` pixels, the
    network takes so many `milliseconds` on this machine; its parameters take `megabytes`.
    """

    model: str
    weights: str
    photos: int
    accuracy: float
    low: float
    high: float
    loss: float
    image_size: int
    milliseconds: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class NetworkFailed:
    """A network could not be compared. The others are compared all the same. `model` is "" if it is
    unknown."""

    model: str
    weights: str
    reason: str


@dataclass(frozen=True, slots=True)
class NetworksCompared:
    """All networks were compared on images in `folder`: `networks` has the most accurate first; of
    equally accurate ones, the fastest."""

    folder: str
    networks: tuple[NetworkCompared, ...]

    @classmethod
    def ranked(cls, folder: str, networks: Iterable[NetworkCompared]) -> "NetworksCompared":
        """Brings networks into their order."""
        best_first = sorted(networks, key=lambda each: (-each.accuracy, each.milliseconds))
        return cls(folder, tuple(best_first))


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """The results of a logistic regression on the features of a network, cross-validated in `folds`
    on all images in `folder`.

    Each image was predicted without having been trained on. `accuracy` has a 95% interval from
    `low` to `high`; `loss` is the mean cross entropy. `classes`, `confusions`,
    `most_confident_errors` and `problems` are as in Evaluated.
    """

    folder: str
    model: str
    weights: str
    folds: int
    photos: int
    accuracy: float
    low: float
    high: float
    loss: float
    classes: tuple[ClassScore, ...]
    confusions: tuple[Confusion, ...]
    most_confident_errors: tuple[PhotoEvaluated, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class LearningCurveEstimated:
    """The accuracy that is expected with a quarter, half and all of the images in `folder`
    (`points`), by cross-validated logistic regressions on the features of a network, and with twice
    as many images (`twice`), by extrapolation.

    The gain of twice as many images has a 95% interval from `gain_low` to `gain_high`. `classes`
    names the classes in the order of `CurvePoint.class_accuracy`.
    """

    folder: str
    model: str
    weights: str
    classes: tuple[str, ...]
    points: tuple[CurvePoint, ...]
    twice: CurvePoint
    gain_low: float
    gain_high: float
    problems: tuple[Problem, ...]


Event = (
    ScanProgress
    | Scanned
    | SampleProgress
    | SampleDrawn
    | ModelsListed
    | DeviceNoticed
    | DevicesDescribed
    | ModelDescribed
    | DownloadProgress
    | WeightsSaved
    | Exported
    | CacheState
    | WeightsFound
    | RunsFound
    | RunFound
    | RunWatched
    | RunAsked
    | JobWritten
    | RunListed
    | RunsCompared
    | Preparing
    | Estimated
    | FeatureCacheStatus
    | ResumeChecked
    | RunStarted
    | BatchDone
    | HeadFitted
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
    | PathsSorted
    | PhotosFound
    | ClassListed
    | PredictionFailed
    | PhotoCopied
    | CopyFailed
    | SortedIntoFolders
    | CopiesRemoved
    | PhotoEvaluated
    | Evaluated
    | LabelCorrected
    | CorrectionUndone
    | NetworkCompared
    | NetworkFailed
    | NetworksCompared
    | CrossValidated
    | LearningCurveEstimated
)


def as_dict(event: Event) -> dict[str, Any]:
    """The event as builtins that JSON can hold, its class name first, under "event"."""
    fields = asdict(event)
    if isinstance(event, Predicted):
        fields["predictions"] = [
            {"class": each.name, "probability": each.probability} for each in event.predictions
        ]
    return {"event": type(event).__name__, **fields}
