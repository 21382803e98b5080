"""The tasks that a frontend can start. Each is a generator of events; nothing happens until it is
iterated.

torch is imported when a task begins, so that a frontend is on screen first.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from flowergui.config.recipe import Recipe
from flowergui.config.recipe_diff import differences
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    ClassListed,
    DevicesDescribed,
    EpochDone,
    Event,
    LabelCorrected,
    ModelsListed,
    PathsSorted,
    PhotosFound,
    Predicted,
    RunFound,
    RunsCompared,
    RunsFound,
    WeightsFound,
)
from flowergui.facts import UNSURE_BELOW
from flowergui.requests import (
    DEFAULT_EXPORT,
    DEFAULT_JOB,
    UNCHANGED,
    ExportOptions,
    JobOptions,
    LiveRequests,
    ResumeOptions,
    RunRequest,
)
from flowergui.store import archives, library, paths, sorted_copies
from flowergui.store.change_log import Change
from flowergui.store.library import newest_run, run_folders
from flowergui.store.run_facts import run_listed
from flowergui.store.run_folder import RunFolder
from flowergui.store.watching import run_watch
from flowergui.system import torchrun
from flowergui.system.keep_awake import keep_awake

log = logging.getLogger(__name__)


def inspect(folder: str | Path) -> Iterator[Event]:
    """ScanProgress ..., Scanned: scans a folder of images for its classes, their counts, and files
    that are left out. Raises FlowerError if there is nothing to train on."""
    from flowergui.learning.data.dropped_paths import existing
    from flowergui.learning.data.scan import scan

    yield from scan(Path(existing(str(folder)) or folder))


def list_class(folder: str | Path, name: str) -> Iterator[Event]:
    """Preparing ..., ClassListed: the image files of a class, none of which is opened. Raises
    FlowerError if the folder can't be read."""
    from flowergui.learning.data.scan import list_photos

    rows = yield from list_photos(Path(folder), (name,))
    found = (str(Path(folder, path)) for path, label, _ in rows if label == name)
    yield ClassListed(name, tuple(found))


def sample(folder: str | Path, *, seed: int = 0, photos_per_class: int = 80) -> Iterator[Event]:
    """SampleProgress ..., SampleDrawn: draws the sample dataset in `folder`. Raises FlowerError."""
    from flowergui.samples import sample_flowers

    yield from sample_flowers.draw(Path(folder), seed=seed, photos_per_class=photos_per_class)


def list_models(models: Path | None = None) -> Iterator[Event]:
    """ModelsListed: every architecture that can be trained, and which weights of them are on this
    machine now, also as files in `models`; then DeviceNoticed if a GPU can't be used."""
    from flowergui.learning.device.gpu_check import unused_gpu
    from flowergui.learning.models.catalogue import model_catalogue, with_local_weights

    listed = with_local_weights(model_catalogue())
    yield ModelsListed(
        tuple(
            replace(each, saved=bool(library.saved_weights(each.name, models))) for each in listed
        )
    )
    if (notice := unused_gpu()) is not None:
        yield notice


def describe_devices() -> Iterator[Event]:
    """DevicesDescribed: the devices that networks can run on."""
    from flowergui.learning.device.hardware import device_names

    yield DevicesDescribed(tuple(device_names()))


def describe_model(model: str, class_count: int, image_size: int = 0) -> Iterator[Event]:
    """ModelDescribed: the parameters and modules of a network, without building it, for images of
    `image_size` pixels (0: its own). Raises FlowerError for a network or a size that is not
    possible."""
    from flowergui.learning.models.describe import describe

    yield describe(model, class_count, image_size)


def train(
    recipe: Recipe,
    live: LiveRequests | None = None,
    models: Path | None = None,
    split: Path | None = None,
) -> Iterator[Event]:
    """A new run in a new folder under `models`: RunStarted, BatchDone ..., Finished or Stopped;
    before them DeviceNoticed if the device is chosen automatically and a GPU can't be used.

    `split` is a split.csv that says which images train and which validate. In the processes of
    torchrun, the folder has the name of the job; if it holds a run already, that is resumed, and
    only rank 0 yields events.
    """
    from flowergui.learning.device.gpu_check import unused_gpu
    from flowergui.learning.training import follow, new_run

    recipe, live = recipe.checked(), live or LiveRequests()
    models = models or paths.models_folder()
    if recipe.processes > 1 and not torchrun.started_by_torchrun():
        given = str(split.absolute()) if split else None
        task = {"task": "train", "recipe": recipe.as_dict(), "split": given}
        yield from _by_processes(recipe.processes, task, live, models)
        return
    job = torchrun.job()
    if job and (begun := RunFolder.of_job(models, job)):
        yield from resume(begun.path, live, models=models)
        return
    if (
        recipe.device == "auto"
        and (notice := unused_gpu()) is not None
        and torchrun.is_main_process()
    ):
        yield notice
    with keep_awake():
        yield from follow.run_on_all_ranks(new_run.train(recipe, live, models, split, job), live)


def resume(
    source: str | Path | None = None,
    live: LiveRequests | None = None,
    changes: Mapping[str, Any] | None = None,
    models: Path | None = None,
    options: ResumeOptions = UNCHANGED,
) -> Iterator[Event]:
    """Resumes a run from its folder or from a checkpoint in it; None is the newest run.

    `changes` maps names of Recipe fields to new values. A bare state_dict needs `photos` among
    them; its architecture is identified. Raises FlowerError if there is nothing to resume, or if a
    change is not possible.
    """
    from flowergui.learning.resuming import resume
    from flowergui.learning.training import follow

    models, live = models or paths.models_folder(), live or LiveRequests()
    path = Path(source) if source is not None else newest_run(models)
    processes = int((changes or {}).get("processes") or _processes_of(path))
    if processes > 1 and not torchrun.started_by_torchrun():
        task = {"task": "resume", "source": str(path), "changes": dict(changes or {})}
        task["options"] = asdict(options)
        yield from _by_processes(processes, task, live, models)
        return
    with keep_awake():
        resuming = resume.resume(path, live, dict(changes or {}), models, options)
        yield from follow.run_on_all_ranks(resuming, live)


def _processes_of(source: Path) -> int:
    """By how many processes a run was trained last; 1 if that is unknown."""
    folder = RunFolder(source if os.path.isdir(source) else source.parent)
    try:
        return folder.recipe().processes if folder.exists() else 1
    except FlowerError:  # resuming says so
        return 1


def _by_processes(
    count: int, task: Mapping[str, Any], live: LiveRequests, models: Path
) -> Iterator[Event]:
    """The events of a task of several processes; see `cli.torchrun_worker`."""
    from flowergui.system import multi_process

    with keep_awake():
        yield from multi_process.train({**task, "models": str(models.absolute())}, count, live)


def write_job(
    recipe: Recipe, folder: str | Path, options: JobOptions = DEFAULT_JOB
) -> Iterator[Event]:
    """ScanProgress ..., JobWritten: writes a folder with all that a run of `recipe` needs on a
    cluster, but its images: recipe, split, a file of weights, job scripts. Raises FlowerError."""
    from flowergui.learning.cluster_job import job_folder

    yield from job_folder.write(recipe.checked(), Path(folder), options)


def check_resume(
    source: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
    models: Path | None = None,
    options: ResumeOptions = UNCHANGED,
) -> Iterator[Event]:
    """Preparing while new images are checked, then ResumeChecked: what resuming would meet. Nothing
    is changed. Raises FlowerError if there is no run to resume."""
    from flowergui.learning.resuming import resume_plan

    path = Path(source) if source is not None else newest_run(models or paths.models_folder())
    yield from resume_plan.check(path, dict(changes or {}), options)


def estimate(
    recipe: Recipe, train: int, validation: int, classes: int, examples: Sequence[str] = ()
) -> Iterator[Event]:
    """Estimated: the time and memory that a run would take, from training steps on random images;
    nothing if the network is too large to try. `train` and `validation` are numbers of images,
    `examples` paths of some. Raises FlowerError if the recipe is not possible."""
    from flowergui.learning.estimate import dry_run

    yield from dry_run.estimate(recipe, (train, validation), classes, examples)


def save_weights(
    model: str, weights: str = "imagenet", models: Path | None = None
) -> Iterator[Event]:
    """DownloadProgress ..., WeightsSaved: saves pretrained weights in `models`, for use offline.
    Raises FlowerError if they can't be downloaded or written."""
    from flowergui.learning.models import weights as pretrained

    yield from pretrained.save(model, weights, models or paths.models_folder())


def find_weights(model: str) -> Iterator[Event]:
    """WeightsFound: the files that `save_weights` has made for this network."""
    yield WeightsFound(model, tuple(library.saved_weights(model)))


def find_photos(paths: Sequence[str | Path]) -> Iterator[Event]:
    """Preparing ..., then PhotosFound: the images among `paths`, and all those in folders among
    them and below. None is opened. Raises FlowerError if there is none."""
    from flowergui.learning.data import dropped_paths

    yield from dropped_paths.find_photos([Path(path) for path in paths])


def predict(
    checkpoint: str | Path,
    images: Sequence[str | Path],
    *,
    why: bool = False,
    out: str | Path | None = None,
    device: str = "",
) -> Iterator[Event]:
    """Predicted or PredictionFailed for each image, in their order, by the network in `checkpoint`.
    A folder stands for all images in it and below; where there is one, PhotosFound comes first.

    With `why`, Explained comes after each Predicted, with a picture in the folder `out`, if any.
    `device` is "auto", "cpu", "cuda" or "mps"; "" takes the one of the checkpoint's recipe."""
    from flowergui.learning.inference import prediction

    photos, folder = [Path(image) for image in images], Path(out) if out else None
    if any(map(archives.is_dataset, photos)):
        for event in find_photos(photos):
            yield event
            if isinstance(event, PhotosFound):
                photos = [Path(photo) for photo in event.photos]
    yield from prediction.predict(Path(checkpoint), photos, why=why, out=folder, device=device)


def sort_into_folders(
    predictions: Sequence[Predicted],
    destination: str | Path,
    *,
    unsure_below: float = UNSURE_BELOW,
    live: LiveRequests | None = None,
) -> Iterator[Event]:
    """Preparing ..., PhotoCopied or CopyFailed for each image, then SortedIntoFolders: copies them
    into a folder for each predicted class in `destination`, and those whose prediction is less
    probable than `unsure_below` into its folder "unsure". `live.stop` ends it after an image.
    Raises FlowerError."""
    yield from sorted_copies.sort_into_folders(
        predictions, Path(destination), unsure_below=unsure_below, live=live
    )


def remove_copies(manifest: str | Path) -> Iterator[Event]:
    """Preparing ..., then CopiesRemoved: removes what `sort_into_folders` has copied, as far as it
    was not changed since. `manifest` is the table that it has written. Raises FlowerError."""
    yield from sorted_copies.remove_copies(Path(manifest))


def sort_paths(
    paths: Sequence[str], *, to_predict: bool = False, typed: bool = False
) -> Iterator[PathsSorted]:
    """PathsSorted: what these paths are. With `to_predict`, a folder of loose images stands for
    them; paths that were `typed` count only if they exist."""
    from flowergui.learning.data import dropped_paths

    yield dropped_paths.sort_paths(paths, to_predict=to_predict, typed=typed)


def evaluate(
    checkpoint: str | Path, folder: str | Path | None = None, *, device: str = ""
) -> Iterator[Event]:
    """Warned for what is left out, PhotoEvaluated for each photo, and at last Evaluated, for a
    checkpoint or a run's best.

    The photos are those in `folder` that it was not trained on; without a folder, the validation
    photos of its run. `device` is as in `predict`. Raises FlowerError if there are no photos.
    """
    from flowergui.learning.inference import evaluation

    yield from evaluation.evaluate(Path(checkpoint), Path(folder) if folder else None, device)


def correct_label(
    path: str | Path, folder: str | Path, label: str, new_label: str, checkpoint: str | Path
) -> Iterator[Event]:
    """LabelCorrected: moves an image of the class `label` in the dataset `folder` into the folder
    of `new_label`; "" moves it into a folder beside the dataset, so that it is left out. The split
    of the run of `checkpoint`, if it is in one, follows; before, Preparing if the dataset has to be
    listed. Raises FlowerError, also while that run is training."""
    from flowergui.learning.inference import label_correction

    run = RunFolder(Path(checkpoint).parent)
    yield from label_correction.correct_label(Path(path), Path(folder), label, new_label, run)


def undo_correction(corrected: LabelCorrected) -> Iterator[Event]:
    """CorrectionUndone: moves the image back where it was. Raises FlowerError, also while a run
    trains whose split has the image."""
    from flowergui.learning.inference import label_correction

    yield from label_correction.undo(corrected)


def compare_networks(
    folder: str | Path,
    weights: Sequence[str | Path] = (),
    *,
    local: bool = True,
    photos_used: int = 300,
    device: str = "auto",
) -> Iterator[Event]:
    """NetworkCompared or NetworkFailed for each network whose pretrained weights are on this
    machine (if `local`), and for each file in `weights`, then NetworksCompared: how well their
    features suit the images in `folder`, measured on up to `photos_used` of them. Raises
    FlowerError if there is nothing to compare."""
    from flowergui.learning.linear_probe import network_comparison

    files = [str(each) for each in weights]
    yield from network_comparison.compare(Path(folder), files, photos_used, device, local=local)


def cross_validate(
    folder: str | Path,
    model: str = "",
    weights: str = "imagenet",
    *,
    folds: int = 5,
    device: str = "auto",
) -> Iterator[Event]:
    """PhotoEvaluated for each image in `folder`, and at last CrossValidated: the accuracy on all
    images of a logistic regression on features of a network, each predicted without having been
    trained on. Warned comes before them if there are so many images that a sample is used. Without
    `model`, a file of weights says which network it is; for other weights it is efficientnet_lite0.
    Raises FlowerError."""
    from flowergui.learning.linear_probe import dataset_evaluation

    yield from dataset_evaluation.evaluate_dataset(Path(folder), model, weights, folds, device)


def learning_curve(
    folder: str | Path, model: str = "", weights: str = "imagenet", *, device: str = "auto"
) -> Iterator[Event]:
    """LearningCurveEstimated: the accuracy expected with a quarter, half, all and twice as many of
    the images in `folder`. `model`, `weights` and Warned are as in `cross_validate`. Raises
    FlowerError."""
    from flowergui.learning.linear_probe import dataset_evaluation

    yield from dataset_evaluation.estimate_learning_curve(Path(folder), model, weights, device)


def export(
    checkpoint: str | Path, out: str | Path, options: ExportOptions = DEFAULT_EXPORT
) -> Iterator[Event]:
    """Exported: writes the network of a checkpoint, or of a run's best one, as .safetensors, as a
    .pth state_dict, or as .onnx. Raises FlowerError."""
    from flowergui.learning.inference import export

    yield from export.export(Path(checkpoint), Path(out), options)


def cached_photos(*, clear: bool = False) -> Iterator[Event]:
    """CacheState: the cache of decoded images, after it was cleared if `clear`."""
    from flowergui.learning.data import photo_cache

    yield photo_cache.clear() if clear else photo_cache.state()


def find_runs() -> Iterator[Event]:
    """RunsFound: the runs on disk, without their curves. Only small files are read."""
    (runs, problems), bare = library.find_runs(), library.bare_weights()
    last = next((run.last for run in runs if run.last), "")
    newer = bool(bare) and library.is_newer(bare, last)
    yield RunsFound(tuple(runs), bare, newer, tuple(problems))


def find_run(checkpoint: str) -> Iterator[Event]:
    """RunFound: the run that a checkpoint belongs to."""
    yield RunFound(checkpoint, library.run_of(checkpoint))


def compare(runs: Sequence[str | Path] = (), models: Path | None = None) -> Iterator[Event]:
    """RunListed for each of `runs` (run folders, or checkpoints in them), then RunsCompared for two
    or more. Without `runs`, RunListed for each run in `models`, newest first. Raises FlowerError
    for a path that is no run."""
    if runs:
        folders = [path.parent if os.path.isfile(path) else path for path in map(Path, runs)]
        named = [run_listed(RunFolder(path)) for path in folders]
        yield from named
        if len(named) > 1:
            differ = differences([each.run.recipe for each in named])
            yield RunsCompared(tuple(each.run.path for each in named), differ)
        return
    for run in run_folders(models or paths.models_folder()):
        try:
            yield run_listed(run)
        except FlowerError as error:
            log.warning("%s can't be listed: %s", run.path, error)


def history(run: str | Path) -> Iterator[BatchDone | EpochDone | Change]:
    """The batches and epochs of a run, one by one: there may be millions. What was changed while it
    trained comes before them."""
    folder = RunFolder(Path(run))
    yield from folder.changes.events()
    yield from folder.history.events()


def watch(run: str | Path, interval: float = run_watch.LOOK_INTERVAL_S) -> Iterator[Event]:
    """EpochDone for each epoch that the run in a folder has done, and for each further one; then
    Finished or Stopped. Warned if the folder can't be read for a time, or if the run has written
    nothing for long. `interval` is in seconds. Raises FlowerError if there is no run."""
    yield from run_watch.epochs(run_watch.watchable_run(Path(run)), interval)


def ask(run: str | Path, request: RunRequest) -> Iterator[Event]:
    """RunAsked: asks the process that trains a run to save or to stop, by a file in the run folder.
    Raises FlowerError if none trains it, or if the file can't be written."""
    yield run_watch.ask(run_watch.watchable_run(Path(run)), request)
