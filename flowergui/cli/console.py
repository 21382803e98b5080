"""Prints events on a terminal: as lines of text with a progress bar, or as JSON."""

import io
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from flowergui.cli import network_report, report
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    CopiesRemoved,
    CopyFailed,
    CrossValidated,
    DownloadProgress,
    Evaluated,
    Event,
    Finished,
    LearningCurveEstimated,
    NetworkCompared,
    NetworkFailed,
    PhotoCopied,
    PhotoEvaluated,
    PhotosFound,
    PredictionFailed,
    Preparing,
    ResumeChecked,
    RunListed,
    RunStarted,
    SampleProgress,
    Saved,
    SaveFailed,
    Scanned,
    ScanProgress,
    Stopped,
    ValidationProgress,
    as_dict,
)
from flowergui.facts import Verdict
from flowergui.store.run_folder import RunFolder
from flowergui.text import fine_percent, sentences, tr

_CONTROL_CHARACTERS = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


class OutputError(Exception):
    """stdout can't be written: its disk is full, its terminal has gone, or (`broken_pipe`) the
    program that read it has ended. What is printed from then on goes nowhere."""

    def __init__(self, error: OSError) -> None:
        self.reason = error.strerror or str(error)
        self.broken_pipe = isinstance(error, BrokenPipeError)
        super().__init__(tr("The output can't be written: {reason}.", reason=self.reason))


def prepare_streams() -> None:
    """Lets every file name be printed. Streams are UTF-8 on Windows, and escape what they can't
    encode. One that was closed before the program began leads nowhere: else the next file that is
    opened would take its number, and what libraries print."""
    while (null := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(null)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding="utf-8" if sys.platform == "win32" else None, errors="backslashreplace"
            )


def complain(error: FlowerError) -> None:
    """Prints the message, its hint and the option for it, in one line on stderr."""
    option = tr("The option is {option}.", option=error.option) if error.option else ""
    say(f"flowergui: {sentences(str(error), option)}", sys.stderr)


def say(text: str, stream: TextIO | None = None) -> None:
    """Prints text on stdout or on another stream. Control characters, which names of files and
    classes may hold, are escaped: a terminal would obey them. Raises OutputError."""
    stream = stream or sys.stdout
    with _writing(stream):
        print(text.translate(_CONTROL_CHARACTERS), file=stream, flush=stream is not sys.stdout)


def flush() -> None:
    """Writes what was printed. Raises OutputError."""
    for stream in (sys.stderr, sys.stdout):
        with _writing(stream):
            stream.flush()


@contextmanager
def _writing(stream: TextIO) -> Iterator[None]:
    """Raises OutputError if stdout can't be written. Of stderr nobody can be told."""
    try:
        yield
    except OSError as error:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())  # Python's last flush must not fail
        os.close(null)
        if stream is sys.stdout:
            raise OutputError(error) from error


def json_line(event: Event) -> str:
    """The event as one line of JSON. Numbers that JSON lacks (NaN, infinity) are null."""
    return json.dumps(_finite(as_dict(event)), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


class Console:
    """Prints events as they come.

    With `as_json`, every event is a line on stdout. Otherwise lines of text go to stdout,
    problems to stderr, and, if stderr is a `terminal`, a progress bar too. `everything` lists all
    problems of a folder, and not only the first ones. `began` says whether a run has started,
    `broke_off` whether it ended with an error, and `unwritten` whether output was lost.
    """

    def __init__(self, *, as_json: bool, terminal: bool, everything: bool = False) -> None:
        self.began = self.broke_off = self.unwritten = False
        self._waits_for = ""
        self._failed: set[str] = set()  # paths that could not be read or saved
        self._unsaved: dict[str, str] = {}  # of these, why the last save failed
        self._as_json = as_json
        self._everything = everything
        self._bar = _ProgressBar(shown=terminal and not as_json)
        self._lists_runs = self._lists_networks = False

    def report(self, event: Event) -> None:
        """Prints one event. Raises OutputError."""
        news = not isinstance(event, SaveFailed) or self._unsaved.get(event.path) != event.reason
        self._note_outcome(event)
        if isinstance(event, ScanProgress):
            self._note_stall(event)
        if self._as_json:
            say(json_line(event))
            flush()
            if (
                isinstance(event, PredictionFailed | CopyFailed | SaveFailed | NetworkFailed)
                and news
            ):
                say(report.problem(event), sys.stderr)
        elif news and not self._bar.move(event):
            self._bar.close()
            self._print(event)
            flush()

    def close(self) -> None:
        """Removes the progress bar."""
        self._bar.close()

    @property
    def code(self) -> int:
        """The exit code for what was printed: 1 if an image could not be read, a network could not
        be compared, a checkpoint could not be saved to the end, output was lost, or a run can't be
        resumed or broke off; else 0."""
        return 1 if self._failed or self.broke_off or self.unwritten else 0

    def _note_stall(self, event: ScanProgress) -> None:
        """Says once which file a scan waits for."""
        if event.waits_for and event.waits_for != self._waits_for:
            self._bar.close()
            say(report.problem(event), sys.stderr)
        self._waits_for = event.waits_for

    def _note_outcome(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.began = True
            case ResumeChecked():
                self.broke_off = any(each.verdict == Verdict.BLOCKING for each in event.checks)
            case Evaluated() | CrossValidated() | LearningCurveEstimated():
                self._failed.update(problem.path for problem in event.problems)
            case PredictionFailed() | CopyFailed():
                self._failed.add(event.path)
            case CopiesRemoved():
                stays = (*event.kept, *event.failed)
                self._failed.update(problem.path for problem in stays)
            case SaveFailed():
                self._failed.add(event.path)
                self._unsaved[event.path] = event.reason
            case NetworkFailed():
                self._failed.add(event.weights)
            case Saved():
                run = RunFolder(Path(event.path).parent)
                # Rows are written before a checkpoint; if they can't be, that is said after it.
                self._failed -= {event.path, str(run.history.path), str(run.changes.path)}
                self._unsaved.pop(event.path, None)

    def _print(self, event: Event) -> None:
        match event:
            case Scanned():
                self._print_scan(event)
            case RunListed() if not self._lists_runs:
                self._lists_runs = True
                _print_lines([report.runs_head(), *report.lines(event)])
            case NetworkCompared() if not self._lists_networks:
                self._lists_networks = True
                _print_lines([network_report.networks_head(), *report.lines(event)])
            case Stopped() if str(RunFolder(Path(event.run)).last) in self._failed:
                say(report.stopped_unsaved(event))
            case Finished() if str(RunFolder(Path(event.run)).best) in self._failed:
                say(report.finished_unsaved())
            case _:
                _print_lines(report.lines(event))
        if problem := report.problem(event):
            say(problem, sys.stderr)
        if isinstance(event, PhotosFound | Evaluated | CrossValidated | LearningCurveEstimated):
            _print_problems(report.problems(event.problems, most=self._most))

    @property
    def _most(self) -> int | None:
        return None if self._everything else report.MAX_PROBLEMS_SHOWN

    def _print_scan(self, event: Scanned) -> None:
        if self._everything and not event.checked:
            return  # it comes again when the files are checked
        _print_lines(report.scan_table(event) if self._everything else report.scan_summary(event))
        inspect = report.command_line("flowergui", "inspect", event.folder)
        _print_problems(report.problems(event.problems, most=self._most, rest=inspect))


class _ProgressBar:
    """The progress bar on stderr. Nothing is drawn unless it is `shown`."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None
        self._what = ""

    def move(self, event: Event) -> bool:
        """Shows the progress that `event` reports; False if it reports none."""
        match event:
            case ScanProgress():
                self._move(tr("Checking images"), event.checked, event.found)
            case SampleProgress():
                self._move(tr("Drawing images"), event.drawn, event.total)
            case DownloadProgress():
                what = tr("Downloading {name}", name=event.name)
                self._move(what, event.done, event.total, in_bytes=True)
            case Preparing():
                self._move(event.what, event.done, event.total)
            case BatchDone():
                what = tr("Epoch {epoch}", epoch=event.epoch)
                figures = tr(
                    "loss {loss}, accuracy {accuracy}",
                    loss=f"{event.loss:.3f}",
                    accuracy=fine_percent(event.accuracy),
                )
                self._move(what, event.batch, event.batches, figures)
            case PhotoCopied():
                self._move(tr("Copying images"), event.done, event.total)
            case ValidationProgress():
                what = tr("Validating epoch {epoch}", epoch=event.epoch)
                self._move(what, event.batch, event.batches)
            case Saved() | PhotoEvaluated():
                pass  # later lines say it
            case _:
                return False
        return True

    def close(self) -> None:
        """Removes the bar."""
        with _writing(sys.stderr):
            if self._bar is not None:
                self._bar.close()
        self._bar, self._what = None, ""

    def _move(
        self, what: str, done: int, total: int, figures: str = "", *, in_bytes: bool = False
    ) -> None:
        if self._shown:
            with _writing(sys.stderr):
                self._draw(what, done, total, figures, in_bytes=in_bytes)

    def _draw(self, what: str, done: int, total: int, figures: str, *, in_bytes: bool) -> None:
        if self._what != what:
            from tqdm import tqdm

            self.close()
            self._bar = tqdm(
                desc=what,
                total=total or None,
                leave=False,
                dynamic_ncols=True,
                unit="B" if in_bytes else "",
                unit_scale=in_bytes,
                file=sys.stderr,
            )
            self._what = what
        self._bar.set_postfix_str(figures, refresh=False)
        self._bar.update(done - self._bar.n)


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)


def _print_problems(lines: Iterable[str]) -> None:
    flush()
    for line in lines:
        say(line, sys.stderr)
