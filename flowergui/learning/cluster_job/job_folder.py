"""Writing the folder of a job for a cluster."""

import os
import re
import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Event, JobWritten, Preparing, Scanned
from flowergui.learning.cluster_job import kubernetes, slurm
from flowergui.learning.data.scan import scan_to_split
from flowergui.learning.data.split import Split, split_after, split_photos
from flowergui.learning.models import weights
from flowergui.requests import JobOptions
from flowergui.store import atomic_io, recipe_file, split_file
from flowergui.store.archives import FileSizes
from flowergui.store.run_folder import JOB_SCRIPT
from flowergui.text import tr

SLURM, KUBERNETES = JOB_SCRIPT, "job.yaml"
FILES: Final = ("recipe.json", "split.csv", SLURM, KUBERNETES, "README.md")


def write(recipe: Recipe, folder: Path, options: JobOptions) -> Iterator[Event]:
    """Writes `folder`, with all that a run of `recipe` needs elsewhere but its images, which are
    scanned for the split; see `tasks.write_job`."""
    _check(folder)
    split = yield from _split(recipe)
    name = job_name(folder.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        own = yield from _with_own_weights(recipe, folder)
    except OSError as error:
        raise FlowerError(
            tr(
                "The job can't be written into {folder}: {reason}.",
                folder=folder,
                reason=error.strerror or error,
            ),
            hint=tr("Make room there, or choose another folder."),
        ) from error
    recipe_file.write(folder / FILES[0], replace(own, photos=""))
    sizes = FileSizes(split.folder)
    split_file.write(folder / FILES[1], ((*row, sizes.of(row[0])) for row in split.rows()))
    atomic_io.write(folder / SLURM, slurm.script(name, options))
    atomic_io.write(folder / KUBERNETES, kubernetes.manifest(name, options))
    atomic_io.write(folder / FILES[4], readme(recipe, options))
    yield JobWritten(str(folder), FILES)


def job_name(text: str) -> str:
    """A name that SLURM and Kubernetes take: the letters and digits of `text`, and the time, by
    which two jobs differ."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:30]
    return f"flowergui-{words}-{datetime.now():%m%d-%H%M%S}".replace("--", "-")


def readme(recipe: Recipe, options: JobOptions) -> str:
    """What is in the folder, and how the run is started, watched, stopped and taken home."""
    images = slurm.shell_word(options.photos or "/path/to/images")
    options_of_train = "--recipe recipe.json --split split.csv --models-folder models"
    command = f"torchrun --nproc-per-node {options.processes} -m flowergui train {images}"
    lines = (
        "# " + tr("A training run of Flowergui for a cluster"),
        "",
        tr(
            "{model}, mode {mode}. Its settings are in recipe.json; which images are for training "
            "and which for validation is in split.csv.",
            model=recipe.model,
            mode=recipe.mode,
        ),
        "",
        tr("1. Copy this folder and the folder of images to the cluster, and install Flowergui."),
        tr(
            "2. SLURM: `sbatch job.sbatch {images}` in this folder. Nodes, GPUs and time stand at "
            "the top of the script.",
            images=images,
        ),
        tr(
            "3. Kubernetes: adapt the image and the volume claims in job.yaml, then `kubectl apply "
            "-f job.yaml`."
        ),
        tr("4. One machine without a queue: `{command}`", command=f"{command} {options_of_train}"),
        tr(
            "5. A job that is preempted or out of time saves first; when it is requeued, the run "
            "continues."
        ),
        tr(
            "6. Watch it: `flowergui watch models` here, or *Run > Watch a run…* in the window, "
            "with the folder models."
        ),
        tr("7. Stop it: `flowergui stop models`. It saves first, and can be resumed."),
        tr("8. Take the run home: copy its folder out of models into your own folder of runs."),
    )
    return "\n".join(lines) + "\n"


def _check(folder: Path) -> None:
    """Raises FlowerError if the folder holds anything but an earlier job."""
    try:
        entries = os.listdir(folder) if os.path.isdir(folder) else []
    except OSError as error:
        reason = error.strerror or error
        raise FlowerError(
            tr("{path} can't be read: {reason}.", path=folder, reason=reason)
        ) from error
    if (entries and SLURM not in entries) or os.path.isfile(folder):
        raise FlowerError(
            tr("{folder} is not empty.", folder=folder),
            hint=tr("Choose an empty or a new folder for the job."),
        )


def _split(recipe: Recipe) -> Generator[Event, None, Split]:
    """The split that a run of `recipe` would have here. Raises FlowerError as that would."""
    scanning = scan_to_split(Path(recipe.photos))
    while True:
        try:
            event = next(scanning)
        except StopIteration as end:
            found = end.value
            break
        if not isinstance(event, Scanned):
            yield event
    if recipe.mode == "transfer" and os.path.isfile(recipe.weights):
        pretrained = yield from weights.load(recipe.model, recipe.weights)
        return split_after(found, pretrained, recipe, Path(recipe.weights))
    return split_photos(found, recipe.validation_fraction, recipe.seed)


def _with_own_weights(recipe: Recipe, folder: Path) -> Generator[Event, None, Recipe]:
    """The recipe; a file of weights that it names is copied into the folder. Raises OSError."""
    if recipe.mode != "transfer" or not os.path.isfile(recipe.weights):
        return recipe
    source = Path(recipe.weights)
    target = folder / f"weights{source.suffix}"
    yield Preparing(tr("Copying the weights"), 0, 0)
    if not (os.path.exists(target) and os.path.samefile(source, target)):
        half = atomic_io.temp_path(target)
        try:
            shutil.copyfile(source, half)
            atomic_io.replace_with_retry(half, target)
        finally:
            half.unlink(missing_ok=True)
    return replace(recipe, weights=target.name)
