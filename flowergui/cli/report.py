"""Events as lines of text for people: what they say, and on which stream."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from wcwidth import ljust, rjust, width

from flowergui.cli.evaluation_report import (
    cross_validated,
    evaluated,
    image_count,
    predicted,
)
from flowergui.cli.network_report import compared, learning_curve
from flowergui.cli.weights_report import weights_table
from flowergui.config.resizing import largest_training_size
from flowergui.events import (
    CacheState,
    CopiesRemoved,
    CopyFailed,
    CrossValidated,
    DeviceNoticed,
    EpochDone,
    Evaluated,
    Event,
    Explained,
    Exported,
    FeatureCacheStatus,
    Finished,
    FrozenChanged,
    HeadFitted,
    JobWritten,
    LearningCurveEstimated,
    LearningRateChanged,
    ModelsListed,
    NetworkCompared,
    NetworkFailed,
    NetworksCompared,
    Predicted,
    PredictionFailed,
    ResumeChecked,
    RolledBack,
    RunAsked,
    RunListed,
    RunsCompared,
    RunStarted,
    SampleDrawn,
    SaveFailed,
    Scanned,
    ScanProgress,
    SortedIntoFolders,
    Stopped,
    TrainingSizeChanged,
    Warned,
    WeightsSaved,
)
from flowergui.facts import Problem, Verdict
from flowergui.text import duration, enumerated, file_size, fine_percent, sentences, tr, trn
from flowergui.wording import (
    copies_removed_text,
    copy_failed_text,
    device_notice_remedy,
    device_notice_text,
    feature_cache_text,
    head_fitted_text,
    left_out_text,
    network_failed_text,
    networks_compared_text,
    photo_cache_text,
    precision_text,
    rolled_back_text,
    sorted_into_folders_text,
)

MAX_PROBLEMS_SHOWN = 5


def lines(event: Event) -> Sequence[str]:
    """What is printed on stdout for an event; nothing for one that is a problem or progress."""
    match event:
        case SampleDrawn():
            return _sample_drawn(event)
        case ResumeChecked():
            return _resume_checked(event)
        case RunStarted():
            return _run_started(event)
        case EpochDone():
            return [_epoch(event)]
        case FrozenChanged():
            return [_trainable(event.trainable, event.parameters)]
        case FeatureCacheStatus(part="train"):
            return [feature_cache_text(event)]
        case HeadFitted():
            return [head_fitted_text(event)]
        case LearningRateChanged():
            return [tr("The learning rate is now {rate}.", rate=f"{event.learning_rate:g}")]
        case TrainingSizeChanged():
            return [tr("Training continues with images of {size} px.", size=event.size)]
        case Stopped():
            return _stopped(event)
        case Finished():
            return _finished(event)
        case Exported():
            return [tr("The network is saved in {path}.", path=event.path)]
        case CacheState():
            return [photo_cache_text(event)]
        case ModelsListed():
            return weights_table(event.models)
        case WeightsSaved():
            return _weights_saved(event)
        case Predicted():
            return predicted(event)
        case SortedIntoFolders():
            return _sorted_into_folders(event)
        case CopiesRemoved():
            return [copies_removed_text(event)]
        case Explained(picture=""):
            return [tr("  This network can't show why.")]
        case Explained():
            return [tr("  {picture} shows why.", picture=event.picture)]
        case RunAsked():
            return [_asked(event)]
        case JobWritten():
            return _job_written(event)
        case RunListed():
            return [_listed(event)]
        case RunsCompared():
            return _compared(event)
        case Evaluated():
            return evaluated(event)
        case CrossValidated():
            return cross_validated(event)
        case NetworkCompared():
            return compared(event)
        case NetworksCompared():
            return [text] if (text := networks_compared_text(event)) else []
        case LearningCurveEstimated():
            return learning_curve(event)
        case _:
            return []


def problem(event: Event) -> str:
    """What is printed on stderr for an event; "" for one that is no problem."""
    match event:
        case DeviceNoticed():
            return f"{device_notice_text(event)}\n{device_notice_remedy(event)}"
        case Warned():
            return event.message
        case PredictionFailed():
            return event.reason
        case ScanProgress() if event.waits_for:
            return tr("Waiting for {path}: its drive does not answer.", path=event.waits_for)
        case CopyFailed():
            return copy_failed_text(event)
        case SaveFailed():
            return tr("{path} could not be saved: {reason}.", path=event.path, reason=event.reason)
        case NetworkFailed():
            return network_failed_text(event)
        case RolledBack():
            return rolled_back_text(event)
        case _:
            return ""


def command_line(*words: str) -> str:
    """`words` as they must be typed, quoted for the shell of this system."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


# --- datasets ---------------------------------------------------------------------------------


def scan_summary(event: Scanned) -> Sequence[str]:
    """The numbers of images and classes of a folder."""
    summary = tr(
        "{folder} has {images} of {classes}.",
        folder=event.folder,
        images=image_count(sum(each.train + each.validation for each in event.classes)),
        classes=trn("{count} class", "{count} classes", len(event.classes)),
    )
    if event.checked:
        return [summary, *event.notes]
    unchecked = tr("They are not opened yet; an unreadable one will be named when it is its turn.")
    return [summary, unchecked, *event.notes]


def scan_table(event: Scanned) -> Sequence[str]:
    """A table of the classes of a folder, with the numbers of their images."""
    split = any(each.validation for each in event.classes)
    rows = [(each.name, each.train, each.validation) for each in event.classes]
    rows.append(("", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    heads = (tr("class"), tr("train"), tr("validation"))
    cells = [heads, *((name, f"{train:,}", f"{val:,}") for name, train, val in rows)]
    widest = max(width(name) for name, *_ in cells)
    table = [
        f"{ljust(name, widest)}  {rjust(train, 7)}" + (f"  {rjust(val, 10)}" if split else "")
        for name, train, val in cells
    ]
    if not split:
        table.append(tr("A share of every class will be used for validation."))
    table += event.notes
    if event.leftovers:
        table.append(tr("Ignored, since they are not images:"))
        table += (f"  {left_out_text(each)}" for each in event.leftovers)
    return table


def problems(found: Sequence[Problem], *, most: int | None = None, rest: str = "") -> Sequence[str]:
    """The files that were left out, and why, `most` of them at most. `rest` is a command that
    lists the others."""
    if not found:
        return []
    shown = found[:most]
    count = sum(each.count for each in found)
    listed = [trn("{count} problem:", "{count} problems:", count)]
    listed += (f"  {left_out_text(each)}" for each in shown)
    more = count - sum(each.count for each in shown)
    if more and rest:
        listed.append(
            trn(
                "  and {count} more; {command} lists them all.",
                "  and {count} more; {command} lists them all.",
                more,
                command=rest,
            )
        )
    elif more:
        listed.append(trn("  and {count} more.", "  and {count} more.", more))
    return listed


def _sample_drawn(event: SampleDrawn) -> Sequence[str]:
    train = command_line("flowergui", "train", event.folder)
    return (
        tr("The sample flowers are in {folder}.", folder=event.folder),
        tr("Next: {command}", command=train),
    )


def _sorted_into_folders(event: SortedIntoFolders) -> Sequence[str]:
    unsort = command_line("flowergui", "unsort", event.manifest)
    undo = tr("To remove the copies again: {command}", command=unsort)
    return [sorted_into_folders_text(event), *([undo] if event.manifest else [])]


# --- runs -------------------------------------------------------------------------------------


def _job_written(event: JobWritten) -> Sequence[str]:
    return (
        tr("The job is in {folder}: {files}.", folder=event.folder, files=enumerated(event.files)),
        tr(
            "Next, in this folder on the cluster: {command}",
            command=command_line("sbatch", "job.sbatch", "IMAGES"),
        ),
    )


def _asked(event: RunAsked) -> str:
    run = Path(event.run).name
    if event.stop:
        return tr("{run} was asked to stop. It saves first, and can be resumed.", run=run)
    return tr("{run} was asked to save.", run=run)


def _resume_checked(event: ResumeChecked) -> Sequence[str]:
    """What has changed since a run stopped. Marks: "*" has changed, "!" prevents resuming."""
    marks = {Verdict.SAME: "  ", Verdict.FINE: "* ", Verdict.BLOCKING: "! "}
    widest = max(width(each.subject) for each in event.checks)
    checked = [f"{event.run}:"]
    for each in event.checks:
        found = each.detail
        if each.remedy:
            found = tr("{detail}. {remedy}", detail=each.detail, remedy=each.remedy)
        checked.append(f"{marks[Verdict(each.verdict)]}{ljust(each.subject, widest)}  {found}")
    if event.renamed:
        options = [word for old, new in event.renamed for word in ("--rename", f"{old}={new}")]
        renames = command_line(*options)
        checked.append(tr("The names of the images suggest: {options}", options=renames))
    if all(each.verdict != Verdict.BLOCKING for each in event.checks):
        checked.append(tr("The run can be resumed."))
    return checked


def _run_started(event: RunStarted) -> Sequence[str]:
    values = {
        "model": event.model,
        "train": f"{event.train_photos:,}",
        "validation": f"{event.validation_photos:,}",
    }
    if event.resumed:
        what = tr(
            "Resuming {model}: {train} training images, {validation} validation images.", **values
        )
    elif event.mode == "transfer":
        what = tr(
            "Transfer learning with {model}: {train} training images, {validation} validation "
            "images.",
            **values,
        )
    else:
        what = tr(
            "Training {model} from scratch: {train} training images, {validation} validation "
            "images.",
            **values,
        )
    how = tr(
        "It runs on {device} in {precision} with images of {size} px.",
        device=event.device,
        precision=event.precision,
        size=event.image_size,
    )
    training = largest_training_size(event.training_size or 0, event.image_size)
    smaller = (
        tr("It trains on images of {size} px.", size=training)
        if training != event.image_size
        else ""
    )
    return (
        what,
        sentences(how, smaller, precision_text(event)),
        _trainable(event.trainable, event.parameters),
        tr("The run is saved in {run}.", run=event.run),
    )


def _trainable(trainable: int, parameters: int) -> str:
    return tr(
        "{trainable} of {parameters} parameters are trainable.",
        trainable=f"{trainable:,}",
        parameters=f"{parameters:,}",
    )


def _epoch(event: EpochDone) -> str:
    values = {
        "epoch": event.epoch,
        "epochs": event.epochs,
        "loss": f"{event.train_loss:.3f}",
        "accuracy": fine_percent(event.train_accuracy),
        "time": duration(event.seconds),
    }
    if event.val_loss is None or event.val_accuracy is None:
        return tr("epoch {epoch}/{epochs}, loss {loss}, accuracy {accuracy}, {time}", **values)
    values["val_loss"] = f"{event.val_loss:.3f}"
    values["val_accuracy"] = fine_percent(event.val_accuracy)
    if event.best_epoch == event.epoch:
        return tr(
            "epoch {epoch}/{epochs}, loss {loss}, accuracy {accuracy}, validation loss {val_loss}, "
            "validation accuracy {val_accuracy}, the best so far, {time}",
            **values,
        )
    return tr(
        "epoch {epoch}/{epochs}, loss {loss}, accuracy {accuracy}, validation loss {val_loss}, "
        "validation accuracy {val_accuracy}, best {best} in epoch {best_epoch}, {time}",
        **values,
        best=fine_percent(event.best_accuracy),
        best_epoch=event.best_epoch,
    )


def _stopped(event: Stopped) -> Sequence[str]:
    return (
        tr(
            "Stopped in epoch {epoch}. The run is saved in {path}.",
            epoch=event.epoch,
            path=Path(event.run) / "last.pth",
        ),
        tr("To resume it: {command}", command=command_line("flowergui", "resume", event.run)),
    )


def stopped_unsaved(event: Stopped) -> str:
    """What is printed for a run whose last checkpoint could not be saved."""
    return tr(
        "Stopped in epoch {epoch}, but the last checkpoint could not be saved.", epoch=event.epoch
    )


def _finished(event: Finished) -> Sequence[str]:
    best = Path(event.run) / "best.pth"
    predict = command_line("flowergui", "predict", str(best))
    return (
        trn(
            "{count} epoch done in {time}.",
            "{count} epochs done in {time}.",
            event.epochs,
            time=duration(event.seconds),
        ),
        *_best(event),
        tr("The best checkpoint is {path}.", path=best),
        tr("Next: {command} IMAGE ...", command=predict),
    )


def _best(event: Finished) -> Sequence[str]:
    if not event.validated:
        return ()
    return (
        tr(
            "The best validation accuracy is {accuracy}, in epoch {epoch}.",
            accuracy=fine_percent(event.best_accuracy),
            epoch=event.best_epoch,
        ),
    )


def finished_unsaved() -> str:
    """What is printed for a finished run whose best checkpoint could not be saved."""
    return tr("All epochs are done, but the best checkpoint could not be saved.")


def _weights_saved(event: WeightsSaved) -> Sequence[str]:
    option = command_line("--weights", event.path)
    return (
        tr("The weights are saved in {path}.", path=event.path),
        tr("To start a transfer from them: {option}", option=option),
    )


RUN_WIDTHS = (7, 8, 11, 12, 9)
"""Cells of the terminal for the columns of a list of runs; the name of the run follows."""


def runs_head() -> str:
    """The head of a list of runs."""
    heads = (tr("best"), tr("of epoch"), tr("Epochs").lower(), tr("time"), tr("size"))
    return _run_row(heads, tr("run"))


def _listed(event: RunListed) -> str:
    run, best = event.run, event.best
    cells = (
        "-" if best is None or best.val_accuracy is None else fine_percent(best.val_accuracy),
        "-" if best is None else f"{best.epoch:,}",
        f"{run.epochs_done:,}/{run.recipe.epochs:,}",
        duration(event.seconds),
        file_size(event.size),
    )
    return _run_row(cells, f"{run.path}  ({run.note})" if run.note else run.path)


def _run_row(cells: Sequence[str], name: str) -> str:
    return "  ".join([*map(rjust, cells, RUN_WIDTHS), name])


def _compared(event: RunsCompared) -> Sequence[str]:
    if not event.differences:
        return ("", tr("They have the same settings."))
    heads = [str(place) for place in range(1, len(event.runs) + 1)]
    rows = [[each.label, *(value or "-" for value in each.values)] for each in event.differences]
    rows = [["", *heads], *rows]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    table = ("  ".join(map(ljust, row, widths)).rstrip() for row in rows)
    return ("", tr("Settings that differ, the runs in the order above:"), *table)
