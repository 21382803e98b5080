"""The buttons that steer a run: one that matters now, and one beside it."""

from collections.abc import Iterable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from flowergui.desktop.session import RunState, Session, continuable, is_idle, why_not_start
from flowergui.desktop.style import theme
from flowergui.desktop.training.welcome import is_first_look
from flowergui.desktop.watched_run import WatchedRun, WatchState
from flowergui.text import N_, tr

PAUSE_TEXTS = {
    RunState.IDLE: N_("Pause"),
    RunState.RUNNING: N_("Pause"),
    RunState.PAUSING: N_("Pausing…"),
    RunState.PAUSED: N_("Continue"),
    RunState.STOPPING: N_("Pause"),  # the header says "Stopping…"
    RunState.UNSAVED: N_("Try again"),
}
STOP_TEXTS = {state: N_("Stop") for state in RunState} | {RunState.UNSAVED: N_("Discard")}
START, START_ANEW = N_("Start"), N_("Start anew")
LEAVE, STOP_WATCHED = N_("Stop watching"), N_("Stop the run")


class RunButtons(QWidget):
    """Two places: the coloured button is Start, Pause or Continue, and beside it stands Stop, or,
    after a run was stopped, Start anew. Both keep their width, so that nothing moves. At the first
    look Start stands alone, without a frame: it is not what is to be clicked."""

    start_requested = Signal()
    pause_requested = Signal()
    unpause_requested = Signal()
    stop_requested = Signal()
    save_requested = Signal()
    """The user wants the run to be saved by another try."""
    leave_requested = Signal()
    """The user no longer wants to watch a run that trains elsewhere."""
    continue_requested = Signal(str)
    """The user wants the run that was stopped to go on from this checkpoint."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: RunState | None = None
        self._checkpoint = ""
        self._start, self._continue, self._pause, self._stop, self._leave = (
            QPushButton(tr(text))
            for text in (START, N_("Continue"), N_("Pause"), N_("Stop"), LEAVE)
        )
        self._was_watching = False
        for button, name in (
            (self._start, "startButton"),
            (self._continue, "continueButton"),
            (self._pause, "pauseButton"),
            (self._stop, "stopButton"),
            (self._leave, "leaveWatchButton"),
        ):
            button.setObjectName(name)
        self._leave.setToolTip(
            tr("This window no longer follows the run, which goes on where it trains.")
        )
        self._leave.clicked.connect(self.leave_requested)
        for button in (self._continue, self._pause):
            theme.style(button, role="primary")
        theme.style(self._stop, role="danger")
        self._continue.setToolTip(tr("Continue the run that was stopped, exactly where it was."))
        self._start.clicked.connect(self.start_requested)
        self._continue.clicked.connect(self._request_continue)
        self._pause.clicked.connect(self._pause_or_continue)
        self._stop.clicked.connect(self.stop_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE)
        for button in (self._continue, self._pause, self._leave, self._start, self._stop):
            row.addWidget(button)
        self._keep_width()
        self.show_session(Session())

    def show_session(self, session: Session) -> None:
        """Shows the state of the run, and what may be done."""
        had_focus = self.hasFocus() or any(
            each.hasFocus()
            for each in (self._start, self._continue, self._pause, self._stop, self._leave)
        )
        before, self._state = self._state, session.run
        idle, self._checkpoint = is_idle(session), continuable(session)
        watched = session.watched
        self._pause.setText(tr(PAUSE_TEXTS[session.run]))
        stop = STOP_TEXTS[session.run] if watched is None else STOP_WATCHED
        self._stop.setText(tr(stop))
        stopped = bool(self._checkpoint)
        self._start.setText(tr(START_ANEW) if stopped else tr(START))
        first = is_first_look(session)
        role = "quiet" if first else "" if stopped else "primary"
        theme.style(self._start, role=role, flush=first)
        why_not = why_not_start(session)
        tip = tr("Start training with these settings (Ctrl+Return).")
        self._start.setToolTip(why_not or tip)
        self._start.setEnabled(idle and not why_not)
        # Also while it pauses: else the focus would jump to Stop, where Space ends the run.
        steerable = session.run not in (RunState.IDLE, RunState.STOPPING)
        self._pause.setEnabled(steerable)
        self._stop.setEnabled(steerable or (watched is not None and watched.can_be_asked))
        self._stop.setToolTip(_stop_tip(watched) if watched is not None else "")
        for button, shown in (
            (self._continue, stopped),
            (self._start, idle),
            (self._pause, not idle and watched is None),
            (self._leave, watched is not None),
            (self._stop, not stopped and not first),
        ):
            if button.isHidden() == shown:
                button.setVisible(shown)
        self._was_watching, was_watching = watched is not None, self._was_watching
        if watched is not None:
            if not was_watching:
                self._leave.setFocus()
        elif before is RunState.IDLE and not idle:
            # Else the focus would go to the one field that stays editable, where a key changes
            # the learning rate of the run.
            self._pause.setFocus()
        elif idle and had_focus and before is not None:
            (self._continue if stopped else self._start).setFocus()

    @Slot()
    def _request_continue(self) -> None:
        self.continue_requested.emit(self._checkpoint)

    @Slot()
    def _pause_or_continue(self) -> None:
        if self._state in (RunState.PAUSING, RunState.PAUSED):
            self.unpause_requested.emit()
        elif self._state == RunState.UNSAVED:
            self.save_requested.emit()
        else:
            self.pause_requested.emit()

    def _keep_width(self) -> None:
        """Makes each place wide enough for all that will stand in it."""
        first = (START, N_("Continue"), *PAUSE_TEXTS.values())
        second = (START_ANEW, *STOP_TEXTS.values())
        for buttons, texts in (
            ((self._start, self._continue, self._pause), (*first, START_ANEW)),
            ((self._stop,), second),
        ):
            width = max(_widest(button, map(tr, texts)) for button in buttons)
            for button in buttons:
                button.setMinimumWidth(width)
        self._stop.setMinimumWidth(max(self._stop.minimumWidth(), self._start.minimumWidth()))


def _stop_tip(watched: WatchedRun) -> str:
    """What Stop does to a run elsewhere, or why it can't be pressed."""
    if watched.can_be_asked:
        return tr("Have the run save and end, where it trains.")
    if watched.state in (WatchState.TRAINING, WatchState.OVERDUE):
        return tr("The process that trains it, of an older version, reads no requests.")
    return ""


def _widest(button: QPushButton, texts: Iterable[str]) -> int:
    """Pixels that the button needs for the longest of these texts."""
    text, widest = button.text(), 0
    button.ensurePolished()  # the stylesheet has a say in it
    for each in texts:
        button.setText(each)
        widest = max(widest, button.sizeHint().width())
    button.setText(text)
    return widest
