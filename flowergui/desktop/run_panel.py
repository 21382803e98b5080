"""The middle of the window: how the run goes, its curves, and the buttons that steer it."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop import run_control, theme
from flowergui.desktop.card import Card
from flowergui.desktop.live_plot import LivePlot
from flowergui.desktop.run_header import RunHeader

BUTTONS = {
    run_control.IDLE: ("Start", "Pause", "Stop"),
    run_control.RUNNING: ("Start", "Pause", "Stop"),
    run_control.PAUSING: ("Start", "Pausing…", "Stop"),
    run_control.PAUSED: ("Start", "Continue", "Stop"),
    run_control.STOPPING: ("Start", "Pause", "Stopping…"),
}
"""What Start, Pause and Stop are called in each state of a run."""


class RunPanel(QWidget):
    """Header, plots and buttons. It shows the state that it is told, and starts nothing."""

    start_wanted = Signal()
    pause_wanted = Signal()
    continue_wanted = Signal()
    stop_wanted = Signal()
    resume_last_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = run_control.IDLE
        self.header = RunHeader()
        self.plot = LivePlot()
        head = Card()
        head.body.addWidget(self.header)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(head)
        layout.addWidget(self.plot, 1)
        layout.addLayout(self._make_buttons())
        self.show_state(run_control.IDLE)

    def _make_buttons(self) -> QHBoxLayout:
        self._start = QPushButton("Start")
        self._start.setObjectName("startButton")
        theme.style(self._start, role="primary")
        self._pause = QPushButton("Pause")
        self._pause.setObjectName("pauseButton")
        self._stop = QPushButton("Stop")
        self._stop.setObjectName("stopButton")
        theme.style(self._stop, role="danger")
        self._hint = QLabel()
        self._hint.setObjectName("startHint")
        self._hint.setWordWrap(True)
        theme.style(self._hint, role="caption")
        self._resume = QPushButton("Resume from last.pth")
        self._resume.setObjectName("resumeLastButton")
        self._start.clicked.connect(self.start_wanted)
        self._pause.clicked.connect(self._pause_or_continue)
        self._stop.clicked.connect(self.stop_wanted)
        self._resume.clicked.connect(self.resume_last_wanted)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        for button in (self._start, self._pause, self._stop):
            row.addWidget(button)
        row.addWidget(self._hint, 1)
        row.addWidget(self._resume)
        return row

    def show_state(self, state: str) -> None:
        """The run is idle, running, pausing, paused or stopping."""
        before, self._state = self._state, state
        for button, text in zip(
            (self._start, self._pause, self._stop), BUTTONS[state], strict=True
        ):
            button.setText(text)
        self._pause.setEnabled(state in (run_control.RUNNING, run_control.PAUSED))
        self._stop.setEnabled(state not in (run_control.IDLE, run_control.STOPPING))
        if state == run_control.PAUSING:
            self.header.pausing()
        elif state == run_control.PAUSED:
            self.header.paused()
        elif state == run_control.STOPPING:
            self.header.stopping()
        elif state == run_control.RUNNING and before != run_control.IDLE:
            self.header.went_on()
        elif state == run_control.RUNNING:
            self.header.starting()

    def allow(self, *, start: str, resume: str) -> None:
        """Start and Resume may be pressed, or the reason why not, in a sentence."""
        idle = self._state == run_control.IDLE
        for button, reason, tip in (
            (self._start, start, "Begin training with these settings (Ctrl+Return)."),
            (self._resume, resume, "Go on with the newest run where it stopped."),
        ):
            button.setEnabled(idle and not reason)
            button.setToolTip(reason or tip)
        self._hint.setText(start if idle else "")

    @Slot()
    def _pause_or_continue(self) -> None:
        if self._state == run_control.PAUSED:
            self.continue_wanted.emit()
        else:
            self.pause_wanted.emit()
