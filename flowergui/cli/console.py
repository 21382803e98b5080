"""How events look on a terminal: as lines to read, or as JSON, one object a line."""

import io
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from flowergui import text
from flowergui.cli import report
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    CacheState,
    DownloadProgress,
    EpochDone,
    Evaluated,
    Event,
    Explained,
    Exported,
    FeatureCacheStatus,
    Finished,
    FrozenChanged,
    LearningRateChanged,
    PhotoEvaluated,
    Predicted,
    PredictionFailed,
    Preparing,
    ResumeChecked,
    RolledBack,
    RunListed,
    RunsCompared,
    RunStarted,
    SampleDrawn,
    SampleProgress,
    Saved,
    SaveFailed,
    Scanned,
    ScanProgress,
    Stopped,
    TrainingSizeChanged,
    ValidationProgress,
    Warned,
    WeightsSaved,
    as_dict,
)
from flowergui.facts import (
    Problem,
)
from flowergui.store.run_folder import RunFolder
from flowergui.wording import feature_cache_text, photo_cache_text

_PROBLEMS_SHOWN = 5

_WRITTEN_OUT = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


def prepare_streams() -> None:
    """Lets every file name be printed: consoles of Windows speak UTF-8, and what a stream can't
    write is escaped instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding="utf-8" if sys.platform == "win32" else None, errors="backslashreplace"
            )


def complain(error: FlowerError) -> None:
    """Prints the message, its hint and the option for it, in one line on stderr."""
    option = text.tr("The option is {option}.", option=error.option) if error.option else ""
    say(f"flowergui: {error} {option}".strip(), sys.stderr)


def say(text: str, stream: TextIO | None = None) -> None:
    """Prints lines to read, on stdout or another stream. Control characters, which names of files
    and classes may hold, are written out: a terminal would obey them."""
    print(text.translate(_WRITTEN_OUT), file=stream or sys.stdout, flush=stream is not None)


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

    With `as_json` every event is a line on stdout. Otherwise people read: lines on stdout, what
    went wrong on stderr, and, where stderr is a `terminal`, a progress bar there. `everything`
    lists all problems of a folder, not only the first few. `began` says whether a run has, and
    `broke_off` that it ended with an error.
    """

    def __init__(self, *, as_json: bool, terminal: bool, everything: bool = False) -> None:
        self.began = self.broke_off = False
        self._lost: set[str] = set()
        self._as_json = as_json
        self._terminal = terminal and not as_json
        self._everything = everything
        self._bar: Any = None
        self._doing = ""
        self._lists_runs = False

    def report(self, event: Event) -> None:
        """Prints one event. Raises BrokenPipeError where nobody reads stdout any more."""
        self._judge(event)
        if self._as_json:
            print(json_line(event), flush=True)
            if isinstance(event, PredictionFailed | SaveFailed):
                self._failed(event)
        elif not self._progress(event):
            self.close()
            self._read_out(event)
            sys.stdout.flush()

    def close(self) -> None:
        """Takes the progress bar away."""
        if self._bar is not None:
            self._bar.close()
        self._bar, self._doing = None, ""

    @property
    def code(self) -> int:
        """The exit code that the events amount to: 1 where a photo could not be read, a
        checkpoint not be saved to the end, or a run not be gone on with."""
        return 1 if self._lost or self.broke_off else 0

    def _judge(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.began = True
            case ResumeChecked():
                self.broke_off = any(each.verdict == "blocking" for each in event.checks)
            case Evaluated():
                self._lost.update(problem.path for problem in event.problems)
            case PredictionFailed() | SaveFailed():
                self._lost.add(event.path)
            case Saved():
                self._lost.discard(event.path)

    def _warn(self, message: str) -> None:
        say(message, sys.stderr)

    def _failed(self, event: PredictionFailed | SaveFailed) -> None:
        if isinstance(event, SaveFailed):
            self._warn(f"{event.path} could not be saved: {event.reason}.")
        else:
            self._warn(event.reason)

    # --- progress

    def _progress(self, event: Event) -> bool:
        """Moves the bar; False where the event is no progress, and is to be read."""
        match event:
            case ScanProgress():
                self._move("Looking at photos", event.checked, event.found)
            case SampleProgress():
                self._move("Drawing", event.drawn, event.total)
            case DownloadProgress():
                self._move(f"Downloading {event.name}", event.done, event.total, scale=True)
            case Preparing():
                self._move(event.what, event.done, event.total)
            case BatchDone():
                figures = f"loss {event.loss:.3f}, accuracy {text.fine_percent(event.accuracy)}"
                self._move(f"Epoch {event.epoch}", event.batch, event.batches, figures)
            case ValidationProgress():
                self._move(f"Validating epoch {event.epoch}", event.batch, event.batches)
            case Saved() | PhotoEvaluated():
                pass  # the closing lines tell
            case _:
                return False
        return True

    def _move(
        self, what: str, done: int, total: int, figures: str = "", *, scale: bool = False
    ) -> None:
        if not self._terminal:
            return
        if self._doing != what:
            from tqdm import tqdm

            self.close()
            self._bar = tqdm(
                desc=what,
                total=total or None,
                leave=False,
                dynamic_ncols=True,
                unit="B" if scale else "",
                unit_scale=scale,
                file=sys.stderr,
            )
            self._doing = what
        self._bar.set_postfix_str(figures, refresh=False)
        self._bar.update(done - self._bar.n)

    # --- lines to read

    def _read_out(self, event: Event) -> None:
        match event:
            case Scanned():
                self._scanned(event)
            case SampleDrawn():
                train = report.command_line("flowergui", "train", event.folder, "--model", "mynet")
                say(f"The sample flowers are in {event.folder}.\nNext: {train}")
            case ResumeChecked():
                say("\n".join(report.resume_checked(event)))
            case RunStarted():
                say("\n".join(report.run_started(event)))
            case EpochDone():
                say(report.epoch(event))
            case FrozenChanged():
                say(f"{event.trainable:,} of {event.parameters:,} parameters train now.")
            case FeatureCacheStatus(part="train"):
                say(feature_cache_text(event))
            case LearningRateChanged():
                say(f"The learning rate is {event.learning_rate:g} now.")
            case RolledBack():
                where = f"epoch {event.epoch}, batch {event.batch}"
                self._warn(
                    f"{event.reason} It goes back to {where}, and on with a learning rate of "
                    f"{event.learning_rate:g}."
                )
            case TrainingSizeChanged():
                say(f"Squares of {event.size} px from now on.")
            case Warned():
                self._warn(event.message)
            case PredictionFailed() | SaveFailed():
                self._failed(event)
            case Stopped() if str(RunFolder(Path(event.run)).last) in self._lost:
                say(f"Stopped in epoch {event.epoch}, but what came last could not be kept.")
            case Stopped():
                say("\n".join(report.stopped(event)))
            case Finished() if str(RunFolder(Path(event.run)).best) in self._lost:
                say("The epochs are done, but the best network could not be kept.")
            case Finished():
                say("\n".join(report.finished(event)))
            case Exported():
                say(f"The network is in {event.path}.")
            case CacheState():
                say(photo_cache_text(event))
            case WeightsSaved():
                file = report.command_line("--weights", event.path)
                say(f"The weights are in {event.path}.\nA transfer takes them with {file}")
            case Predicted():
                say("\n".join(report.predicted(event)))
            case Explained(picture=""):
                say(text.tr("  This network can't show why."))
            case Explained():
                say(f"  {event.picture} shows why.")
            case RunListed():
                if not self._lists_runs:
                    say(report.RUNS)
                self._lists_runs = True
                say(report.listed(event))
            case RunsCompared():
                say("\n".join(report.compared(event)))
            case Evaluated():
                say("\n".join(report.evaluated(event)))
                self._problems(event.problems)

    def _scanned(self, event: Scanned) -> None:
        if self._everything and not event.checked:
            return  # it comes once more
        if self._everything:
            say("\n".join(report.scanned(event)))
        else:
            photos = sum(each.train + each.validation for each in event.classes)
            classes = f"{len(event.classes)} classes in {event.folder}"
            say(f"{text.plural(photos, 'photo')} of {classes}.")
        if not event.checked:
            say("They are not opened yet; one that can't be read is named when its turn comes.")
        inspect = report.command_line("flowergui", "inspect", event.folder)
        self._problems(event.problems, f"; {inspect} lists them all")

    def _problems(self, problems: Sequence[Problem], more: str = "") -> None:
        """Names them, or the first few; `more` says where the others are."""
        shown = problems if self._everything else problems[:_PROBLEMS_SHOWN]
        if not shown:
            return
        sys.stdout.flush()
        self._warn(f"{text.plural(len(problems), 'problem')}:")
        for problem in shown:
            self._warn(f"  {problem.path}: {problem.reason}")
        if len(problems) > len(shown):
            self._warn(f"  and {len(problems) - len(shown):,} more{more}.")
