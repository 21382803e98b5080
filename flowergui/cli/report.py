"""Events as lines for people to read."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from flowergui.events import (
    EpochDone,
    Evaluated,
    Finished,
    Predicted,
    ResumeChecked,
    RunListed,
    RunsCompared,
    RunStarted,
    Scanned,
    Stopped,
)
from flowergui.text import (
    duration,
    file_size,
    fine_percent,
    plural,
    shortened,
)

MISTAKES_SHOWN = 5
CLASSES_SHOWN = 100
BAR_WIDTH = 20
"""Characters of the bar of a guess that is sure."""
RUNS = f"{'best':>7}  {'of epoch':>8}  {'epochs':>11}  {'time':>12}  {'size':>9}  run"
"""The head of a list of runs."""


def command_line(*words: str) -> str:
    """`words` as they must be typed, quoted for this system's shell."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def scanned(event: Scanned) -> Sequence[str]:
    """The classes of a folder, and how many photos each has."""
    ready = any(each.validation for each in event.classes)
    width = max(len("class"), *(len(each.name) for each in event.classes))
    lines = [f"{'class':<{width}}  {'train':>7}" + (f"  {'validation':>10}" if ready else "")]
    for each in event.classes:
        held = f"  {each.validation:>10,}" if ready else ""
        lines.append(f"{each.name:<{width}}  {each.train:>7,}{held}")
    train = sum(each.train for each in event.classes)
    held = f"  {sum(each.validation for each in event.classes):>10,}" if ready else ""
    lines.append(f"{'':<{width}}  {train:>7,}{held}")
    if not ready:
        lines.append("A part of every class will be held back for validation.")
    return lines


def resume_checked(event: ResumeChecked) -> Sequence[str]:
    """What a run would meet if it were resumed now."""
    signs = {"same": "  ", "fine": "* ", "blocking": "! "}
    width = max(len(each.subject) for each in event.checks)
    lines = [f"{event.run}:"]
    for each in event.checks:
        remedy = f". {each.remedy}" if each.remedy else ""
        lines.append(f"{signs[each.verdict]}{each.subject:<{width}}  {each.detail}{remedy}")
    if event.renamed:
        renaming = [word for old, new in event.renamed for word in ("--rename", f"{old}={new}")]
        lines.append(f"The names of the photos suggest: {command_line(*renaming)}")
    if all(each.verdict != "blocking" for each in event.checks):
        lines.append("It can go on.")
    return lines


def run_started(event: RunStarted) -> Sequence[str]:
    """What a run begins with."""
    began = "goes on" if event.resumed else f"starts ({event.mode})"
    why = f" ({event.why_precision})" if event.why_precision else ""
    return (
        f"{event.model} {began}: {plural(event.train_photos, 'photo')} to learn from, "
        f"{event.validation_photos:,} held back, {event.image_size} px, "
        f"{event.device}, {event.precision}{why}.",
        f"{event.trainable:,} of {event.parameters:,} parameters train.",
        f"The run is kept in {event.run}.",
    )


def epoch(event: EpochDone) -> str:
    """How an epoch went."""
    parts = [
        f"epoch {event.epoch}/{event.epochs}",
        f"loss {event.train_loss:.3f}",
        f"accuracy {fine_percent(event.train_accuracy)}",
    ]
    if event.val_loss is not None and event.val_accuracy is not None:
        parts += [
            f"validation loss {event.val_loss:.3f}",
            f"validation accuracy {fine_percent(event.val_accuracy)}",
            "the best so far"
            if event.best_epoch == event.epoch
            else f"best {fine_percent(event.best_accuracy)} in epoch {event.best_epoch}",
        ]
    return ", ".join([*parts, duration(event.seconds)])


def stopped(event: Stopped) -> Sequence[str]:
    """Where a run has stopped, and how it goes on."""
    last = Path(event.run) / "last.pth"
    resume = command_line("flowergui", "resume", event.run)
    return (f"Stopped in epoch {event.epoch}. The run is kept in {last}.", f"To go on: {resume}")


def finished(event: Finished) -> Sequence[str]:
    """What a run came to."""
    done = f"{plural(event.epochs, 'epoch')} done in {duration(event.seconds)}."
    if event.best_accuracy:
        best = fine_percent(event.best_accuracy)
        done += f" The best validation accuracy is {best}, of epoch {event.best_epoch}."
    path = Path(event.run) / "best.pth"
    predict = command_line("flowergui", "predict", str(path))
    return (done, f"The best network is in {path}.", f"Next: {predict} PHOTO ...")


def predicted(event: Predicted) -> Sequence[str]:
    """What a photo shows."""
    width = max(len(guess.name) for guess in event.predictions)
    lines = [event.path]
    for guess in event.predictions:
        bar = "#" * round(guess.probability * BAR_WIDTH)
        figures = f"{guess.name:<{width}}  {fine_percent(guess.probability):>7}  {bar}"
        lines.append(f"  {figures}".rstrip())
    return lines


def listed(event: RunListed) -> str:
    """A run in a list of them: what it came to."""
    run, best = event.run, event.best
    accuracy = "-" if best is None or best.val_accuracy is None else fine_percent(best.val_accuracy)
    epoch = "-" if best is None else f"{best.epoch:,}"
    done = f"{run.epochs_done:,}/{run.recipe.epochs:,}"
    time, size = duration(event.seconds), file_size(event.size)
    note = f"  ({run.note})" if run.note else ""
    return f"{accuracy:>7}  {epoch:>8}  {done:>11}  {time:>12}  {size:>9}  {run.path}{note}"


def compared(event: RunsCompared) -> Sequence[str]:
    """In what some runs differ."""
    if not event.differences:
        return ("", "They have the same settings.")
    heads = [str(place) for place in range(1, len(event.runs) + 1)]
    rows = [[each.label, *(value or "-" for value in each.values)] for each in event.differences]
    widths = [max(map(len, column)) for column in zip(["", *heads], *rows, strict=True)]
    table = (
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (["", *heads], *rows)
    )
    return ("", "In what they differ, in the order above:", *table)


def evaluated(event: Evaluated) -> Sequence[str]:
    """How well a network does, and what it mistakes."""
    top5 = (
        f", {fine_percent(event.top5)} among the five likeliest" if event.top5 is not None else ""
    )
    lines = [
        f"{fine_percent(event.accuracy)} of {plural(event.photos, 'photo')} are right{top5}; loss "
        f"{event.loss:.3f}.",
        f"The photos are in {event.folder}; "
        + (
            "nobody knows which of them it has learned from."
            if event.trained_on is None
            else "it has learned from none of them."
        ),
    ]
    if event.trained_on:
        lines.append(f"Left out, as it has learned from them: {plural(event.trained_on, 'other')}.")
    if event.unknown_classes:
        lines.append(f"Left out, as it does not know them: {shortened(event.unknown_classes)}.")
    width = max(len("class"), *(len(each.name) for each in event.classes))
    lines += ["", f"{'class':<{width}}  {'photos':>7}  {'recall':>8}  {'precision':>9}  {'F1':>8}"]
    shown = event.classes
    if len(shown) > CLASSES_SHOWN:  # those that are recognised least
        measured = (each for each in shown if each.recall is not None)
        shown = tuple(sorted(measured, key=lambda each: each.recall or 0.0)[:CLASSES_SHOWN])
    for each in shown:
        recall, precision, f1 = (
            "-" if share is None else fine_percent(share)
            for share in (each.recall, each.precision, each.f1)
        )
        lines.append(
            f"{each.name:<{width}}  {each.photos:>7,}  {recall:>8}  {precision:>9}  {f1:>8}"
        )
    if len(event.classes) > len(shown):
        others = plural(len(event.classes) - len(shown), "class", "classes")
        lines.append(f"and {others} more that it recognises better, or has seen no photo of.")
    if event.confusions:
        lines += ["", "Most often taken for another:"]
        lines += (
            f"  {each.label} for {each.predicted}: {plural(each.photos, 'photo')}"
            for each in event.confusions[:MISTAKES_SHOWN]
        )
        lines += ["", "The surest mistakes:"]
        lines += (
            f"  {each.path}: {each.label}, taken for {each.predicted} "
            f"({fine_percent(each.probability)})"
            for each in event.most_confident_errors[:MISTAKES_SHOWN]
        )
    return lines
