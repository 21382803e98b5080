"""The middle of the window: how the run goes, its curves, and the buttons that steer it."""

from collections.abc import Iterable, Sequence
from html import escape

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop.plots.live_plot import LivePlot
from flowergui.desktop.run_names import ResumableRun
from flowergui.desktop.session import RunState
from flowergui.desktop.style import theme
from flowergui.desktop.training.run_header import RunHeader
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.labels import escape_tooltip, quiet_button, small_label
from flowergui.text import N_, tr

BUTTONS = {
    RunState.IDLE: ("Start", "Pause", "Stop"),
    RunState.RUNNING: ("Start", "Pause", "Stop"),
    RunState.PAUSING: ("Start", "Pausing…", "Stop"),
    RunState.PAUSED: ("Start", "Continue", "Stop"),
    RunState.STOPPING: ("Start", "Pause", "Stop"),  # the header says "Stopping…"
    RunState.UNSAVED: ("Start", "Try again", "Give up"),
}
"""What Start, Pause and Stop are called in each state of a run."""

COMPARE = "All runs side by side: what each came to, and in what they differ."
GUIDE = "What to do, what the curves say, and what helps when something goes wrong (F1)."
MESSAGES = N_("All messages of this session, with their times.")

LINKS = (
    Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
)

OTHERS = 15
"""Most runs in the menu beside Resume; the list under "Start from" has them all."""


class RunPanel(QWidget):
    """Header, plots and buttons. It shows the state that it is told, and starts nothing."""

    start_requested = Signal()
    speedup_requested = Signal()
    """The user wants what would take less time."""
    pause_requested = Signal()
    continue_requested = Signal()
    stop_requested = Signal()
    save_requested = Signal()
    """The user wants it tried once more to save the run."""
    resume_last_requested = Signal()
    resume_requested = Signal(str)
    """The user wants to go on with the run of this checkpoint, out of the menu of others."""

    comparison_requested = Signal()
    """The user wants to see other runs beside this one."""
    guide_requested = Signal()
    messages_requested = Signal()
    """The user wants to read all messages of this session."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = RunState.IDLE
        self.header = RunHeader()
        self.plot = LivePlot(self._make_doors())
        head = Card()
        head.body.addWidget(self.header)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(head)
        layout.addWidget(self.plot, 1)
        layout.addLayout(self._make_buttons())
        layout.addLayout(self._make_captions())
        self.show_state(RunState.IDLE)

    def _make_doors(self) -> Iterable[QWidget]:
        """The buttons that open other windows."""
        for text, name, help, signal in (
            ("Compare runs…", "compareRunsButton", COMPARE, self.comparison_requested),
            ("Guide", "guideButton", GUIDE, self.guide_requested),
            (tr("Messages"), "messagesButton", tr(MESSAGES), self.messages_requested),
        ):
            button = quiet_button(text, name, flush=True)
            button.setToolTip(help)
            button.clicked.connect(signal)
            yield button

    def _make_buttons(self) -> QHBoxLayout:
        self._start = QPushButton("Start")
        self._start.setObjectName("startButton")
        theme.style(self._start, role="primary")
        self._pause = QPushButton("Pause")
        self._pause.setObjectName("pauseButton")
        _leave_room(self._pause, (texts[1] for texts in BUTTONS.values()))
        self._stop = QPushButton("Stop")
        self._stop.setObjectName("stopButton")
        theme.style(self._stop, role="danger")
        self._resume = QPushButton("Resume from last.pth")
        self._resume.setObjectName("resumeLastButton")
        self._others = QPushButton()
        self._others.setObjectName("resumeMenuButton")
        self._others.setAccessibleName("Resume another run")
        self._others.setToolTip("Go on with another run.")
        self._others.setFixedWidth(30)
        self._others_menu = QMenu(self._others)
        self._others_menu.triggered.connect(self._other_chosen)
        self._others.setMenu(self._others_menu)
        self._others.hide()
        self._start.clicked.connect(self.start_requested)
        self._pause.clicked.connect(self._pause_or_continue)
        self._stop.clicked.connect(self.stop_requested)
        self._resume.clicked.connect(self.resume_last_requested)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        for button in (self._start, self._pause, self._stop):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self._resume)
        row.addWidget(self._others)
        return row

    def _make_captions(self) -> QHBoxLayout:
        """Under Start why it waits, under Resume what it goes on with."""
        self._hint = small_label()
        self._hint.setObjectName("startHint")
        self._hint.linkActivated.connect(self.speedup_requested)
        theme.signals.changed.connect(self._recolor)
        self._newest = small_label()
        self._newest.setObjectName("resumeLastName")
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        for label, side in ((self._hint, "AlignLeft"), (self._newest, "AlignRight")):
            label.setAlignment(Qt.AlignmentFlag[side] | Qt.AlignmentFlag.AlignTop)
            row.addWidget(label, 1)
        return row

    def set_runs(self, runs: Sequence[ResumableRun]) -> None:
        """What can be resumed, newest first: the first is what the button goes on with."""
        newest = f"{runs[0].title}: {runs[0].detail}" if runs else ""
        self._newest.setText(newest.replace(" %", "\N{NO-BREAK SPACE}%"))
        self._newest.setToolTip(escape_tooltip(runs[0].tip) if runs else "")
        self._others.setVisible(len(runs) > 1)
        self._others_menu.clear()
        for run in runs[1 : OTHERS + 1]:
            words = f"{run.title}: {run.detail}" + (f"   ({run.when})" if run.when else "")
            action = self._others_menu.addAction(words.replace("&", "&&"))
            action.setData(run.checkpoint)

    def show_state(self, state: RunState) -> None:
        """The run is idle, running, pausing, paused or stopping."""
        before, self._state = self._state, state
        for button, text in zip(
            (self._start, self._pause, self._stop), BUTTONS[state], strict=True
        ):
            button.setText(text)
        resting = RunState.PAUSED, RunState.UNSAVED
        self._pause.setEnabled(state in (RunState.RUNNING, *resting))
        self._stop.setEnabled(state not in (RunState.IDLE, RunState.STOPPING))
        if state == RunState.PAUSING:
            self.header.pausing()
        elif state == RunState.PAUSED:
            self.header.paused()
        elif state == RunState.STOPPING:
            self.header.stopping()
        elif state == RunState.UNSAVED:
            self.header.unsaved()
        elif state == RunState.RUNNING and before != RunState.IDLE:
            self.header.went_on()
        elif state == RunState.RUNNING:
            self.header.starting()

    def allow(
        self, *, start: str, resume: str, estimate: str = "", quicker: str = "", how: str = ""
    ) -> None:
        """Start and Resume may be pressed, or the reason why not, in a sentence. `estimate` says
        what Start would take; the link `quicker` asks for what would take less, and `how` says
        by which means."""
        idle = self._state == RunState.IDLE
        for button, reason, otherwise in (
            (self._start, start, "Begin training with these settings (Ctrl+Return)."),
            (self._resume, resume, "Go on with the newest run where it stopped."),
        ):
            button.setEnabled(idle and not reason)
            button.setToolTip(reason or otherwise)
        self._others.setEnabled(idle)
        if not idle or start:
            self._say(start if idle else "")
        else:
            self._say(estimate, quicker, how)

    def _say(self, text: str, link: str = "", how: str = "") -> None:
        """`text` under Start, and a link to what takes less."""
        if link:
            flags, shown = LINKS, Qt.TextFormat.RichText
        else:
            flags, shown = Qt.TextInteractionFlag.NoTextInteraction, Qt.TextFormat.PlainText
        self._hint.setTextInteractionFlags(flags)  # a label without a link is no stop for Tab
        self._hint.setTextFormat(shown)
        whole = escape(link).replace(" ", "\N{NO-BREAK SPACE}")
        self._hint.setText(f'{escape(text)} <a href="quicker">{whole}</a>' if link else text)
        self._hint.setAccessibleName(f"{text} {link}".strip())
        self._hint.setToolTip(how)

    @Slot()
    def _recolor(self) -> None:
        """A label colours its link when it is told its text."""
        text = self._hint.text()
        self._hint.clear()
        self._hint.setText(text)

    @Slot(QAction)
    def _other_chosen(self, action: QAction) -> None:
        self.resume_requested.emit(str(action.data()))

    @Slot()
    def _pause_or_continue(self) -> None:
        if self._state == RunState.PAUSED:
            self.continue_requested.emit()
        elif self._state == RunState.UNSAVED:
            self.save_requested.emit()
        else:
            self.pause_requested.emit()


def _leave_room(button: QPushButton, texts: Iterable[str]) -> None:
    """Makes a button wide enough for all that it will be called: nothing moves then."""
    text, widest = button.text(), 0
    button.ensurePolished()  # the stylesheet has a say in it
    for each in texts:
        button.setText(each)
        widest = max(widest, button.sizeHint().width())
    button.setText(text)
    button.setMinimumWidth(widest)
