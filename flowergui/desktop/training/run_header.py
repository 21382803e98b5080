"""The lines above the plots: where the run stands, how fast it goes, what it has reached."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt, QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.training.eta import (
    Eta,
)
from flowergui.events import (
    BatchDone,
    DownloadProgress,
    EpochDone,
    Event,
    FeatureCacheStatus,
    Finished,
    Preparing,
    RunStarted,
    Stopped,
    ValidationProgress,
)
from flowergui.text import (
    clock,
    fine_percent,
    plural,
)
from flowergui.wording import feature_cache_text, precision_text

PERIOD = 200
"""Least milliseconds between two changes of the text: digits that race cannot be read."""
FINE = 1_000
"""Steps of the progress bar."""
DOT = " · "
PER_SECOND = "photos/\N{WORD JOINER}s"
"""Never broken where the line wraps."""
BEFORE = "The run had not begun yet"
FAILED = "Failed"
UNSAVED = "Not saved"
DEVICES = {"cpu": "the processor", "cuda": "the graphics card", "mps": "the graphics processor"}


@dataclass(slots=True)
class _Seen:
    """What is known of the run. `doing` and `share` tell of what comes before its first batch,
    `asked` what the user wants of it, `over` how it ended."""

    opened: RunStarted | None = None
    pace: Eta | None = None
    batch: BatchDone | None = None
    validation: ValidationProgress | None = None
    epoch: EpochDone | None = None
    finished: Finished | None = None
    features: str = ""
    doing: str = ""
    share: float | None = None
    asked: str = ""
    over: str = ""


class RunHeader(QWidget):
    """Feed it every chunk of a run, and tell it what the user asked for meanwhile.

    Before a run it is `idle`. `clock` gives seconds; tests bring their own.
    """

    def __init__(
        self, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self.setObjectName("runHeader")
        self._seconds = clock
        self._seen = _Seen()
        self._line = QLabel()
        self._best = QLabel()
        self._what = QLabel()
        self._features = QLabel()
        self._state = QLabel()
        self._progress = QProgressBar()
        for widget, name in (
            (self._line, "runLine"),
            (self._best, "runBest"),
            (self._what, "runWhat"),
            (self._features, "runFeatures"),
            (self._state, "runState"),
            (self._progress, "runProgress"),
        ):
            widget.setObjectName(name)
        self._progress.setTextVisible(False)
        self._progress.setRange(0, FINE)
        theme.style(self._line, role="heading")
        theme.style(self._best, role="caption")
        theme.style(self._what, role="caption")
        theme.style(self._features, role="caption")
        theme.style(self._state, role="chip")
        theme.style(self._progress, slim=True)
        self._wrapped = (self._line, self._best, self._what, self._features)
        for label in self._wrapped:
            theme.tabular(label)
            label.setWordWrap(True)
        top = QHBoxLayout()
        top.addWidget(self._line, 1)
        top.addWidget(self._state, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self._best)
        layout.addWidget(self._what)
        layout.addWidget(self._features)
        layout.addWidget(self._progress)

        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.setInterval(PERIOD)
        self._clock.timeout.connect(self._refresh)
        self.idle()

    # --- what the user asked for ----------------------------------------------------------

    @Slot()
    def idle(self) -> None:
        """There is no run."""
        self._seen = _Seen()
        self._show(
            "No run yet",
            "Ready",
            0.0,
            best="Choose photos and press Start; loss and accuracy appear below.",
        )

    @Slot()
    def starting(self) -> None:
        """A run was asked for, and has told nothing so far."""
        self._seen = _Seen()
        self._show("Getting ready…", "Starting", None, best="")

    @Slot()
    def pausing(self) -> None:
        """The run will rest as soon as its checkpoint is written."""
        self._seen.asked = "Pausing…"
        self._refresh()

    @Slot()
    def paused(self) -> None:
        """The run rests."""
        self._seen.asked = "Paused"
        self._rest()

    @Slot()
    def went_on(self) -> None:
        """The run goes on."""
        self._seen.asked = ""
        self._rest()

    @Slot()
    def stopping(self) -> None:
        """The run will save and end."""
        self._seen.asked = "Stopping…"
        self._refresh()

    @Slot()
    def unsaved(self) -> None:
        """The run is at its end, and could not be saved."""
        self._seen.asked = UNSAVED
        self._refresh()

    @Slot()
    def failed(self) -> None:
        """The run ended with an error, which the banner tells."""
        self._seen.over = FAILED
        self._refresh()

    def remember(self, done: EpochDone) -> None:
        """The last epoch that a resumed run had done before."""
        self._seen.epoch = done
        self._refresh()

    # --- what the run tells ---------------------------------------------------------------

    @Slot(object)
    def feed(self, events: Sequence[Event]) -> None:
        """Takes a chunk; events that say nothing of the run's progress are passed over."""
        for event in events:
            match event:
                case RunStarted():
                    self._seen = _Seen(
                        event,
                        Eta(event),
                        epoch=self._seen.epoch if event.resumed else None,
                        asked=self._seen.asked,
                    )
                case Preparing(what=what, done=done, total=total):
                    self._prepare(what, done, total)
                case DownloadProgress(name=name, done=done, total=total):
                    self._prepare(f"Downloading {name} (MB)", done // 10**6, total // 10**6)
                case FeatureCacheStatus(part="train"):
                    self._seen.features = feature_cache_text(event)
                case BatchDone():
                    self._seen.batch, self._seen.validation = event, None
                    self._seen.doing = ""
                case ValidationProgress():
                    self._seen.validation, self._seen.doing = event, ""
                case EpochDone():
                    self._seen.epoch, self._seen.validation = event, None
                case Stopped():
                    self._seen.over = "Stopped"
                case Finished():
                    self._seen.over, self._seen.finished = "Finished", event
                case _:
                    pass
        if self._seen.pace is not None:
            self._seen.pace.took(events, self._seconds())
        if self._seen.over:
            self._refresh()
        elif not self._clock.isActive():
            self._clock.start()

    # --- how it reads ---------------------------------------------------------------------

    def _rest(self) -> None:
        if self._seen.pace is not None:
            self._seen.pace.interrupted()
        self._refresh()

    def _prepare(self, what: str, done: int, total: int) -> None:
        count = f"{DOT}{done:,} of {total:,}" if total else f"{DOT}{done:,}" if done else ""
        self._seen.doing = what + count
        self._seen.share = done / total if total else None

    @Slot()
    def _refresh(self) -> None:
        self._clock.stop()
        if self._seen.doing and not self._seen.over:
            self._show(self._seen.doing, self._seen.asked or "Preparing", self._seen.share)
            return
        if self._seen.opened is None:
            # It ended, or was asked to, before it had begun.
            if self._seen.over or self._seen.asked:
                line = "The run could not start" if self._seen.over == FAILED else BEFORE
                self._show(line, self._seen.over or self._seen.asked, 0.0)
            return
        state = (
            self._seen.over
            or self._seen.asked
            or ("Validating" if self._seen.validation else "Training")
        )
        self._show(
            self._position(self._seen.opened),
            state,
            self._share(self._seen.opened),
            best=self._reached(self._seen.opened),
        )

    def _position(self, opened: RunStarted) -> str:
        if self._seen.finished is not None:
            took = clock(self._seen.finished.seconds)
            return f"Finished {plural(self._seen.finished.epochs, 'epoch')} in {took}"
        batch = self._seen.batch
        if batch is None:
            where = f"Epoch {opened.epoch} of {opened.epochs}"
            return f"{where}{DOT}waiting for the first batch" if not self._seen.over else where
        parts = [f"Epoch {batch.epoch} of {opened.epochs}"]
        if self._seen.validation is not None:
            parts.append(
                f"validating {self._seen.validation.batch} of {self._seen.validation.batches}"
            )
        else:
            parts.append(f"batch {batch.batch:,} of {batch.batches:,}")
        if self._seen.pace is not None and not self._seen.over and self._seen.asked != "Paused":
            speed, left = self._seen.pace.photos_per_second(), self._seen.pace.seconds_left()
            if speed is not None:
                parts.append(
                    f"{speed:,.0f} {PER_SECOND}" if speed >= 10 else f"{speed:.1f} {PER_SECOND}"
                )
            if left is not None:
                parts.append(f"{clock(left)} left")
        return DOT.join(parts)

    def _reached(self, opened: RunStarted) -> str:
        if not opened.validation_photos:
            return "No photos are held back, so there is no validation accuracy."
        done = self._seen.epoch
        if done is None or not done.best_epoch:
            if self._seen.over:
                return "It ended before its first validation."
            return "The first validation comes at the end of this epoch."
        best = fine_percent(done.best_accuracy)
        text = f"Best validation accuracy {best} (epoch {done.best_epoch})"
        if waiting := done.epoch - done.best_epoch:
            text += f"{DOT}{plural(waiting, 'epoch')} without gain"
        return text

    def _share(self, opened: RunStarted) -> float:
        if self._seen.finished is not None:
            return 1.0
        if self._seen.batch is None:
            return (opened.epoch - 1) / max(1, opened.epochs)
        done = self._seen.batch.epoch - 1 + self._seen.batch.batch / self._seen.batch.batches
        return done / max(1, opened.epochs)

    def _show(self, line: str, state: str, share: float | None, *, best: str | None = None) -> None:
        self._line.setText(line)
        if best is not None:
            self._best.setText(best)
        what = _in_words(self._seen.opened) if self._seen.opened else ""
        for label, text in ((self._what, what), (self._features, self._seen.features)):
            label.setText(text)
            label.setVisible(bool(text))
        self._what.setToolTip(precision_text(self._seen.opened) if self._seen.opened else "")
        self._state.setText(state)
        theme.style(self._state, failed=state in (FAILED, UNSAVED))
        if share is None:  # nobody knows how much there is: a bar that runs to and fro
            self._progress.setRange(0, 0)
        else:
            self._progress.setRange(0, FINE)
            self._progress.setValue(round(FINE * min(1.0, share)))
        self._keep_height(self._seen.opened is not None and not self._seen.over)

    def _keep_height(self, kept: bool) -> None:
        """While a run goes, what wraps, or will soon, stays as high: the plots below would jump,
        and be drawn anew, with every digit that comes or goes."""
        soon = _longest(self._seen.opened) if self._seen.opened and kept else {}
        for label in self._wrapped:
            room = QRect(0, 0, label.width(), 1_000)
            text = soon.get(label.objectName(), "")
            needed = label.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, text).height()
            needed = max(needed, label.heightForWidth(label.width()), label.minimumHeight())
            label.setMinimumHeight(needed if kept else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._keep_height(False)


def _in_words(opened: RunStarted) -> str:
    """What trains, and what "auto" came to."""
    where = DEVICES.get(opened.device.partition(":")[0], opened.device)
    return f"{opened.model}{DOT}{opened.image_size} px{DOT}on {where}, in {opened.precision}"


def _longest(opened: RunStarted) -> dict[str, str]:
    """What two of the lines, by their names, will say at their longest in most runs."""
    epochs, batches = f"{opened.epochs}", f"{opened.batches:,}"
    speed = f"8,888 {PER_SECOND}{DOT}8:88 left"
    return {
        "runLine": f"Epoch {epochs} of {epochs}{DOT}batch {batches} of {batches}{DOT}{speed}",
        "runBest": f"Best validation accuracy 88.8% (epoch {epochs}){DOT}8 epochs without gain",
    }
