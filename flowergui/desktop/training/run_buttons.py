"""The buttons that steer a run: one that matters now, and one beside it."""

from collections.abc import Iterable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from flowergui.desktop.session import RunState, Session, continuable, is_idle, why_not_start
from flowergui.desktop.style import theme
from flowergui.desktop.training.welcome import is_first_look
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
    continue_requested = Signal(str)
    """The user wants the run that was stopped to go on from this checkpoint."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: RunState | None = None
        self._checkpoint = ""
        self._start, self._continue, self._pause, self._stop = (
            QPushButton(tr(text)) for text in (START, N_("Continue"), N_("Pause"), N_("Stop"))
        )
        for button, name in (
            (self._start, "startButton"),
            (self._continue, "continueButton"),
            (self._pause, "pauseButton"),
            (self._stop, "stopButton"),
        ):
            button.setObjectName(name)
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
        for button in (self._continue, self._pause, self._start, self._stop):
            row.addWidget(button)
        self._keep_width()
        self.show_session(Session())

    def show_session(self, session: Session) -> None:
        """Shows the state of the run, and what may be done."""
        had_focus = self.hasFocus() or any(
            each.hasFocus() for each in (self._start, self._continue, self._pause, self._stop)
        )
        before, self._state = self._state, session.run
        idle, self._checkpoint = is_idle(session), continuable(session)
        self._pause.setText(tr(PAUSE_TEXTS[session.run]))
        self._stop.setText(tr(STOP_TEXTS[session.run]))
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
        self._stop.setEnabled(steerable)
        for button, shown in (
            (self._continue, stopped),
            (self._start, idle),
            (self._pause, not idle),
            (self._stop, not stopped and not first),
        ):
            if button.isHidden() == shown:
                button.setVisible(shown)
        if before is RunState.IDLE and not idle:
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


def _widest(button: QPushButton, texts: Iterable[str]) -> int:
    """Pixels that the button needs for the longest of these texts."""
    text, widest = button.text(), 0
    button.ensurePolished()  # the stylesheet has a say in it
    for each in texts:
        button.setText(each)
        widest = max(widest, button.sizeHint().width())
    button.setText(text)
    return widest
