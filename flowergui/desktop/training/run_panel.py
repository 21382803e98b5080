"""The middle of the window: how the run goes, its curves, and the buttons that steer it."""

from collections.abc import Iterable, Sequence
from html import escape

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop.plots.live_plot import LivePlot
from flowergui.desktop.run_names import ResumableRun
from flowergui.desktop.session import RunState, Session, is_idle, resumable, why_not_start
from flowergui.desktop.settings.estimate_text import estimate_text
from flowergui.desktop.style import theme
from flowergui.desktop.training.run_header import RunHeader
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.labels import (
    escape_tooltip,
    quiet_button,
    reserve_lines,
    small_label,
)
from flowergui.text import N_, tr
from flowergui.wording import speedup_explanation, speedup_text

TEXTS = {
    RunState.IDLE: (N_("Start"), N_("Pause"), N_("Stop")),
    RunState.RUNNING: (N_("Start"), N_("Pause"), N_("Stop")),
    RunState.PAUSING: (N_("Start"), N_("Pausing…"), N_("Stop")),
    RunState.PAUSED: (N_("Start"), N_("Continue"), N_("Stop")),
    RunState.STOPPING: (N_("Start"), N_("Pause"), N_("Stop")),  # the header says "Stopping…"
    RunState.UNSAVED: (N_("Start"), N_("Try again"), N_("Discard")),
}
"""The texts of Start, Pause and Stop in each state of a run."""

COMPARE = N_("All runs side by side: their results, and the settings in which they differ.")
MESSAGES = N_("All messages of this session, with their times.")
GUIDE = N_("What to do, what the curves say, and what helps when something goes wrong (F1).")

LINKS = (
    Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
)

CAPTION_LINES = 2
"""Lines kept free under the buttons: else a longer text there would move the plots."""

MAX_OTHERS = 15
"""Most runs in the menu beside Resume; the list under "Start from" has them all."""


class RunPanel(QWidget):
    """Header, plots and buttons of a run."""

    start_requested = Signal()
    speedup_requested = Signal()
    """The user wants the suggested speed-up."""
    pause_requested = Signal()
    continue_requested = Signal()
    stop_requested = Signal()
    save_requested = Signal()
    """The user wants the run to be saved by another try."""
    resume_last_requested = Signal()
    resume_requested = Signal(str)
    """The user wants to resume this checkpoint, out of the menu of others."""
    comparison_requested = Signal()
    """The user wants to compare runs."""
    guide_requested = Signal()
    messages_requested = Signal()
    """The user wants to read all messages of this session."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: RunState | None = None
        self._runs: tuple[ResumableRun, ...] = ()
        self._hint_shown = ("", "", "")
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
        self.show_session(Session())

    def _make_doors(self) -> Iterable[QWidget]:
        """The buttons that open other windows."""
        for text, name, help, signal in (
            (tr("Compare runs…"), "compareRunsButton", COMPARE, self.comparison_requested),
            (tr("Guide"), "guideButton", GUIDE, self.guide_requested),
            (tr("Messages"), "messagesButton", MESSAGES, self.messages_requested),
        ):
            button = quiet_button(text, name, flush=True)
            button.setToolTip(tr(help))
            button.clicked.connect(signal)
            yield button

    def _make_buttons(self) -> QHBoxLayout:
        self._start = QPushButton(tr("Start"))
        self._start.setObjectName("startButton")
        theme.style(self._start, role="primary")
        self._pause = QPushButton(tr("Pause"))
        self._pause.setObjectName("pauseButton")
        _leave_room(self._pause, (tr(texts[1]) for texts in TEXTS.values()))
        self._stop = QPushButton(tr("Stop"))
        self._stop.setObjectName("stopButton")
        theme.style(self._stop, role="danger")
        self._resume = QPushButton(tr("Resume from last.pth"))
        self._resume.setObjectName("resumeLastButton")
        self._others = QPushButton()
        self._others.setObjectName("resumeMenuButton")
        self._others.setAccessibleName(tr("Resume another run"))
        self._others.setToolTip(tr("Resume another run."))
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
            reserve_lines(label, CAPTION_LINES)
            row.addWidget(label, 1)
        return row

    # --- for the window -------------------------------------------------------------------

    def show_session(self, session: Session) -> None:
        """Shows the state of the run, what may be done, what a run would take, and what can be
        resumed."""
        self.header.show_session(session)
        self._show_state(session.run)
        runs = resumable(session)
        if runs != self._runs:
            self._runs = runs
            self._show_runs(runs)
        self._allow(session, why_not_start(session))

    def _show_runs(self, runs: Sequence[ResumableRun]) -> None:
        """Newest first: the first is what the button resumes."""
        self._newest.setText(_run_text(runs[0]) if runs else "")
        self._newest.setToolTip(escape_tooltip(runs[0].tip) if runs else "")
        self._others.setVisible(len(runs) > 1)
        self._others_menu.clear()
        for run in runs[1 : MAX_OTHERS + 1]:
            text = _run_text(run) + (f"   ({run.when})" if run.when else "")
            action = self._others_menu.addAction(text.replace("&", "&&"))
            action.setData(run.checkpoint)

    def _show_state(self, state: RunState) -> None:
        before, self._state = self._state, state
        if before is state:
            return
        for button, text in zip((self._start, self._pause, self._stop), TEXTS[state], strict=True):
            button.setText(tr(text))
        # Also while it pauses: else the focus would jump to Stop, where Space ends the run.
        self._pause.setEnabled(state not in (RunState.IDLE, RunState.STOPPING))
        self._stop.setEnabled(state not in (RunState.IDLE, RunState.STOPPING))
        if before is RunState.IDLE:
            # Else the focus would go to the one field that stays editable, where a key changes
            # the learning rate of the run.
            self._pause.setFocus()

    def _allow(self, session: Session, why_not: str) -> None:
        idle = is_idle(session)
        nothing = "" if self._runs else tr("There is no run to resume yet.")
        for button, reason, otherwise in (
            (self._start, why_not, tr("Start training with these settings (Ctrl+Return).")),
            (self._resume, nothing, tr("Continue the newest run where it stopped.")),
        ):
            button.setEnabled(idle and not reason)
            button.setToolTip(reason or otherwise)
        self._others.setEnabled(idle)
        estimate = session.estimate
        if not idle or why_not or estimate is None:
            self._show_hint(why_not if idle else "")
            return
        text = estimate_text(estimate, session.recipe)
        if way := estimate.speedup:
            self._show_hint(text, speedup_text(way), speedup_explanation(way))
        else:
            self._show_hint(text)

    def _show_hint(self, text: str, link: str = "", tip: str = "") -> None:
        """`text` under Start, and a link to what takes less time."""
        if (text, link, tip) == self._hint_shown:
            return
        self._hint_shown = text, link, tip
        if link:
            flags, shown = LINKS, Qt.TextFormat.RichText
        else:
            flags, shown = Qt.TextInteractionFlag.NoTextInteraction, Qt.TextFormat.PlainText
        self._hint.setTextInteractionFlags(flags)  # a label without a link is no stop for Tab
        self._hint.setTextFormat(shown)
        whole = escape(link).replace(" ", "\N{NO-BREAK SPACE}")
        self._hint.setText(f'{escape(text)} <a href="speedup">{whole}</a>' if link else text)
        self._hint.setAccessibleName(f"{text} {link}".strip())
        self._hint.setToolTip(tip)

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
        if self._state in (RunState.PAUSING, RunState.PAUSED):
            self.continue_requested.emit()
        elif self._state == RunState.UNSAVED:
            self.save_requested.emit()
        else:
            self.pause_requested.emit()


def _run_text(run: ResumableRun) -> str:
    return tr("{title}: {detail}", title=run.title, detail=run.detail)


def _leave_room(button: QPushButton, texts: Iterable[str]) -> None:
    """Makes a button wide enough for all that it will be called: nothing moves then."""
    text, widest = button.text(), 0
    button.ensurePolished()  # the stylesheet has a say in it
    for each in texts:
        button.setText(each)
        widest = max(widest, button.sizeHint().width())
    button.setText(text)
    button.setMinimumWidth(widest)
