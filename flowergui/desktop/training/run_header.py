"""The lines above the plots: where the run stands, how fast it goes, what it has reached."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import RunState, Session
from flowergui.desktop.style import theme
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.training.eta import Eta
from flowergui.desktop.training.run_status import (
    DOT,
    FAILURES,
    REQUESTED,
    WATCHED,
    WORDS,
    Phase,
    RunStatus,
    settings_text,
)
from flowergui.desktop.training.welcome import is_first_look
from flowergui.desktop.watched_run import WatchedRun, explanation
from flowergui.desktop.widgets.labels import ElidedLabel, reserve_lines
from flowergui.events import (
    BatchDone,
    DownloadProgress,
    EpochDone,
    Event,
    FeatureCacheStatus,
    Finished,
    HeadFitted,
    Preparing,
    RunStarted,
    Stopped,
    ValidationProgress,
)
from flowergui.text import clock, fine_percent, tr
from flowergui.wording import precision_text, written_text

UPDATE_INTERVAL_MS = 200
"""Least milliseconds between two changes of the text: digits that race cannot be read."""
PROGRESS_STEPS = 1_000
"""Steps of the progress bar."""
DETAIL_LINES = 2
"""Lines for what trains and how, or, before a run, for what it would take."""


class RunHeader(QWidget):
    """Shows a run: feed it every chunk of the run's events, and the session.

    `clock` gives seconds; tests bring their own.
    """

    def __init__(
        self,
        buttons: QWidget | None = None,
        hint: QWidget | None = None,
        parent: QWidget | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`buttons` stand beside the best accuracy; `hint`, of two lines, is seen before a run."""
        super().__init__(parent)
        self.setObjectName("runHeader")
        self._seconds = clock
        self._seen = RunStatus()
        self._run = RunState.IDLE
        self._recipe: Recipe | None = None
        self._watched: WatchedRun | None = None
        self._line, self._best, self._what, self._features = (ElidedLabel() for _ in range(4))
        self._state, self._figure = QLabel(), QLabel()
        self._progress = QProgressBar()
        for widget, name, role in (
            (self._line, "runLine", "heading"),
            (self._best, "runBest", "caption"),
            (self._what, "runWhat", "caption"),
            (self._features, "runFeatures", "caption"),
            (self._state, "runState", "chip"),
            (self._figure, "runFigure", "hero"),
            (self._progress, "runProgress", ""),
        ):
            widget.setObjectName(name)
            theme.style(widget, role=role)
            theme.tabular(widget)
        self._figure.setAccessibleName(tr("Best validation accuracy"))
        self._figure.setToolTip(
            tr("The best accuracy so far on the validation images, which no training step uses.")
        )
        self._progress.setAccessibleName(tr("Progress of the run"))
        self._progress.setTextVisible(False)
        self._progress.setRange(0, PROGRESS_STEPS)
        theme.style(self._progress, slim=True)
        self._lay_out(buttons, hint)
        self._clock = single_shot_timer(self, UPDATE_INTERVAL_MS, self._refresh)
        self._show_idle()

    def _lay_out(self, buttons: QWidget | None, hint: QWidget | None) -> None:
        """Every line has its place, whether there is something to say or not: nothing moves."""
        top = QHBoxLayout()
        if buttons is not None:
            top.addWidget(buttons)
        top.addStretch(1)
        top.addWidget(self._figure)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._figure.ensurePolished()
        self._figure.setMinimumHeight(self._figure.fontMetrics().height())
        line = QHBoxLayout()
        line.addWidget(self._line, 1)
        line.addWidget(self._state)
        self._details = QStackedWidget()
        self._told = told = QWidget()
        rows = QVBoxLayout(told)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        for label in (self._what, self._features):
            policy = label.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            label.setSizePolicy(policy)
            rows.addWidget(label)
        rows.addStretch(1)
        self._hint = hint or QWidget()
        for page in (told, self._hint):
            self._details.addWidget(page)
        self._keep_lines()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addSpacing(2)
        layout.addLayout(line)
        layout.addWidget(self._best)
        layout.addWidget(self._details)
        layout.addWidget(self._progress)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._keep_lines()

    def _keep_lines(self) -> None:
        """Every line has its place, and no more than that, in every size of text."""
        reserve_lines(self._details, DETAIL_LINES)
        self._details.setMaximumHeight(self._details.minimumHeight())

    # --- what the user wants of the run ---------------------------------------------------

    def show_session(self, session: Session) -> None:
        """Shows the state of the run."""
        first = is_first_look(session)
        for each in (self._line, self._state, self._best, self._progress):
            each.setVisible(not first)  # the hint says it all
        self._show_watched(session.watched)
        before, self._run, self._recipe = self._run, session.run, session.recipe
        if session.run is before:
            return
        if before is RunState.IDLE:
            self._seen = RunStatus()
            self._show(tr("Getting ready…"), Phase.STARTING, None, best="")
        elif session.run is RunState.IDLE:
            self._seen.requested = None
            self._seen.over = self._seen.over or Phase.STOPPED  # it may not have got so far
            self._refresh()
        else:
            self._seen.requested = REQUESTED.get(session.run)
            if self._seen.pace is not None and RunState.PAUSED in (before, session.run):
                self._seen.pace.interrupted()
            self._refresh()

    def _show_watched(self, watched: WatchedRun | None) -> None:
        """Follows a run elsewhere, or no longer: what has finished stays."""
        before, self._watched = self._watched, watched
        if watched == before:
            return
        if watched is None:
            if self._seen.over is Phase.FINISHED:
                self._refresh()
            else:
                self._seen = RunStatus()
                self._show_idle()
            return
        if before is None:
            self._seen = RunStatus()
        self._refresh()

    @Slot()
    def show_failed(self) -> None:
        """The run ended with an error, which a message tells."""
        self._seen.over = Phase.FAILED
        self._refresh()

    def load(self, epochs: Sequence[EpochDone]) -> None:
        """The epochs that a resumed run had done before."""
        self._seen.seconds = sum(each.seconds for each in epochs)
        if epochs:
            self._seen.epoch = epochs[-1]
        self._refresh()

    @property
    def status(self) -> RunStatus:
        """What is known of the run, for a header that takes its place."""
        return self._seen

    def take_over(self, status: RunStatus) -> None:
        """Goes on where another header was, while the run goes on."""
        self._seen = status
        self._refresh()

    # --- the run's events -----------------------------------------------------------------

    @Slot(object)
    def feed(self, events: Sequence[Event]) -> None:
        """Takes a chunk of events; those that say nothing of the run's progress are ignored."""
        for event in events:
            match event:
                case RunStarted():
                    self._seen = RunStatus(
                        event,
                        Eta(event, self._recipe) if self._watched is None else None,
                        epoch=self._seen.epoch if event.resumed else None,
                        requested=self._seen.requested,
                    )
                case Preparing() | DownloadProgress():
                    self._seen.preparing = event
                case HeadFitted():
                    self._seen.frozen_part, self._seen.preparing = event, None
                case FeatureCacheStatus(part="train"):
                    self._seen.frozen_part = event
                case BatchDone():
                    self._seen.batch, self._seen.validation = event, None
                    self._seen.preparing = None
                case ValidationProgress():
                    self._seen.validation, self._seen.preparing = event, None
                case EpochDone():
                    self._seen.epoch, self._seen.validation = event, None
                    self._seen.seconds += event.seconds
                    if self._seen.opened is not None:  # a time budget adapts the number of epochs
                        self._seen.opened = replace(self._seen.opened, epochs=event.epochs)
                case Stopped():
                    self._seen.over, self._seen.stopped = Phase.STOPPED, event
                case Finished():
                    self._seen.over, self._seen.finished = Phase.FINISHED, event
                case _:
                    pass
        if self._seen.pace is not None:
            self._seen.pace.took(events, self._seconds())
        if self._seen.over:
            self._refresh()
        elif not self._clock.isActive():
            self._clock.start()

    # --- how it reads ---------------------------------------------------------------------

    @Slot()
    def _refresh(self) -> None:
        self._clock.stop()
        seen = self._seen
        if self._watched is not None and seen.finished is None:
            self._show_following(self._watched)
        elif seen.preparing and not seen.over:
            doing = seen.requested or Phase.PREPARING
            self._show(seen.preparing_text(), doing, seen.preparing_share())
        elif seen.opened is None:
            if phase := seen.over or seen.requested:  # before it had begun
                failed = phase is Phase.FAILED
                line = tr("The run could not start") if failed else tr("The run had not begun yet")
                self._show(line, phase, 0.0)
        else:
            doing = Phase.VALIDATING if seen.validation else Phase.TRAINING
            line, *shorter = seen.position(seen.opened, self._recipe)
            self._show(
                line,
                seen.over or seen.requested or doing,
                seen.share(seen.opened),
                best=seen.best_text(seen.opened),
                shorter=shorter,
            )

    def _show_following(self, watched: WatchedRun) -> None:
        """Where a run elsewhere stands, and how old that is."""
        seen, phase = self._seen, WATCHED[watched.state]
        if seen.opened is None:
            line = tr("Reading the run {run}…", run=Path(watched.path).name)
            self._show(line, phase, None, best="")
            return
        written = written_text(
            None if watched.minutes_since_written is None else 60.0 * watched.minutes_since_written
        )
        done = seen.epoch.epoch if seen.epoch else 0
        values = {"epoch": min(done + 1, seen.opened.epochs), "epochs": seen.opened.epochs}
        if phase is Phase.STOPPED:
            epoch = tr("Stopped after epoch {done} of {epochs}", done=done, **values)
        else:
            epoch = tr("Epoch {epoch} of {epochs}", **values)
        trained = tr("{time} so far", time=clock(seen.seconds))
        self._show(
            DOT.join((epoch, trained, written)),
            phase,
            seen.share(seen.opened),
            best=seen.best_text(seen.opened),
            shorter=(DOT.join((epoch, written)), epoch),
        )

    def _show_idle(self) -> None:
        self._show(
            tr("No run yet"),
            Phase.READY,
            0.0,
            best=tr("Loss and accuracy of the run appear below."),
        )

    def _show(
        self,
        line: str,
        phase: Phase,
        share: float | None,
        *,
        best: str | None = None,
        shorter: Sequence[str] = (),
    ) -> None:
        self._line.setText(line)
        self._line.set_shorter(shorter)
        self._line.setToolTip(line)
        if best is not None:
            self._best.setText(best)
            self._best.setToolTip(best)
        done = self._seen.epoch
        known = done is not None and bool(done.best_epoch)
        self._figure.setText(fine_percent(done.best_accuracy) if done and known else "")
        watched, opened = self._watched, self._seen.opened
        what = settings_text(opened, watched) if opened else ""
        more = explanation(watched) if watched else self._seen.frozen_part_text()
        for label, text in ((self._what, what), (self._features, more)):
            label.setText(text)
            label.setVisible(bool(text))
        own = opened is not None and bool(opened.device)
        self._what.setToolTip(precision_text(opened) if opened and own else "")
        self._features.setToolTip((watched.problem if watched else "") or more)
        idle = self._run is RunState.IDLE and watched is None
        self._details.setCurrentWidget(self._hint if idle else self._told)
        self._state.setText(tr(WORDS[phase]))
        theme.style(self._state, failed=phase in FAILURES)
        if share is None:  # nobody knows how much there is: a bar that runs to and fro
            self._progress.setRange(0, 0)
        else:
            self._progress.setRange(0, PROGRESS_STEPS)
            self._progress.setValue(round(PROGRESS_STEPS * min(1.0, share)))
