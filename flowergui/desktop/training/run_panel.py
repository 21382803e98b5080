"""The middle of the window: how the run goes, its curves, and the buttons that steer it."""

from collections.abc import Iterable, Sequence
from html import escape

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.plots.live_plot import LivePlot
from flowergui.desktop.run_names import ResumableRun
from flowergui.desktop.session import (
    Session,
    is_idle,
    resumable,
    why_not_start,
)
from flowergui.desktop.settings.estimate_text import estimate_text
from flowergui.desktop.style import theme
from flowergui.desktop.training.diagnosis import Diagnosis, diagnosis_advice, diagnosis_text
from flowergui.desktop.training.run_buttons import RunButtons
from flowergui.desktop.training.run_header import RunHeader
from flowergui.desktop.training.welcome import Welcome, is_first_look
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.labels import (
    ElidedLabel,
    escape_tooltip,
    quiet_button,
    small_label,
)
from flowergui.text import N_, tr
from flowergui.wording import speedup_explanation, speedup_text

COMPARE = N_("All runs side by side: their results, and the settings in which they differ.")
MESSAGES = N_("All messages of this session, with their times.")
GUIDE = N_("What to do, what the curves say, and what helps when something goes wrong (F1).")

LINKS = (
    Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
)

MAX_OTHERS = 15
"""Most runs in the menu beside Resume; the list under "Start from" has them all."""


class RunPanel(QWidget):
    """Header with buttons, `stage` with the plots or, at first, the welcome, and what can be
    resumed."""

    start_requested = Signal()
    speedup_requested = Signal()
    """The user wants the suggested speed-up."""
    pause_requested = Signal()
    continue_requested = Signal()
    stop_requested = Signal()
    leave_requested = Signal()
    """The user no longer wants to watch a run that trains elsewhere."""
    save_requested = Signal()
    """The user wants the run to be saved by another try."""
    resume_last_requested = Signal()
    resume_requested = Signal(str)
    """The user wants to resume this checkpoint, out of the menu of others."""
    comparison_requested = Signal()
    """The user wants to compare runs."""
    guide_requested = Signal()
    advice_requested = Signal()
    """The user wants to read what the curves say and what helps."""
    messages_requested = Signal()
    """The user wants to read all messages of this session."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[ResumableRun, ...] = ()
        self._hint_shown = ("", "", "")
        self._buttons = self._make_buttons()
        self._hint = self._make_hint()
        self.header = RunHeader(self._buttons, self._hint)
        self.plot = LivePlot(self._make_doors())
        self.welcome = Welcome()
        self.stage = QStackedWidget()
        for page in (self.plot, self.welcome):
            self.stage.addWidget(page)
        self._head = head = Card()
        head.body.addWidget(self.header)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(head)
        layout.addWidget(self.stage, 1)
        layout.addLayout(self._make_foot())
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

    def _make_buttons(self) -> RunButtons:
        buttons = RunButtons()
        buttons.start_requested.connect(self.start_requested)
        buttons.pause_requested.connect(self.pause_requested)
        buttons.unpause_requested.connect(self.continue_requested)
        buttons.stop_requested.connect(self.stop_requested)
        buttons.save_requested.connect(self.save_requested)
        buttons.continue_requested.connect(self.resume_requested)
        buttons.leave_requested.connect(self.leave_requested)
        return buttons

    def _make_hint(self) -> QLabel:
        """Why Start waits, or what a run would take."""
        hint = small_label()
        hint.setObjectName("startHint")
        hint.linkActivated.connect(self.speedup_requested)
        hint.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        theme.signals.changed.connect(self._recolor)
        return hint

    def _make_foot(self) -> QHBoxLayout:
        """What the curves say, what Resume goes on with, and the button."""
        self._newest = ElidedLabel()
        theme.style(self._newest, role="caption")
        self._newest.setObjectName("resumeLastName")
        self._newest.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._resume = QPushButton(tr("Resume from last.pth"))
        self._resume.setObjectName("resumeLastButton")
        self._resume.clicked.connect(self.resume_last_requested)
        self._others = QPushButton()
        self._others.setObjectName("resumeMenuButton")
        self._others.setAccessibleName(tr("Resume another run"))
        self._others.setToolTip(tr("Resume another run."))
        self._others.setFixedWidth(30)
        self._others_menu = QMenu(self._others)
        self._others_menu.triggered.connect(self._other_chosen)
        self._others.setMenu(self._others_menu)
        self._others.hide()
        self._diagnosis = quiet_button("", "diagnosisButton", flush=True)
        self._diagnosis.clicked.connect(self.advice_requested)
        self._diagnosis.hide()
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        row.addWidget(self._diagnosis)
        row.addWidget(self._newest, 1)
        row.addWidget(self._resume)
        row.addWidget(self._others)
        return row

    # --- for the window -------------------------------------------------------------------

    def show_session(self, session: Session) -> None:
        """Shows the state of the run, what may be done, what a run would take, and what can be
        resumed."""
        self.header.show_session(session)
        self._buttons.show_session(session)
        first = is_first_look(session)
        theme.style(self._head, quiet=first)  # the welcome is what is to be seen
        theme.style(self._resume, role="quiet" if first and not resumable(session) else "")
        self.stage.setCurrentWidget(self.welcome if first else self.plot)
        runs = resumable(session)
        if runs != self._runs:
            self._runs = runs
            self._show_runs(runs)
        self._allow(session, why_not_start(session))

    def show_diagnosis(self, diagnosis: Diagnosis | None, mode: str = "") -> None:
        """What the curves of a run of this `mode` say; None for nothing."""
        self._diagnosis.setVisible(diagnosis is not None)
        sentence, brief = diagnosis_text(diagnosis, mode) if diagnosis else ("", "")
        self._diagnosis.setText(sentence)
        self._diagnosis.set_shorter(brief)
        self._diagnosis.setToolTip(diagnosis_advice(diagnosis, mode) if diagnosis else "")
        self._diagnosis.setAccessibleDescription(self._diagnosis.toolTip())

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

    def _allow(self, session: Session, why_not: str) -> None:
        idle = is_idle(session)
        nothing = "" if self._runs else tr("There is no run to resume yet.")
        self._resume.setEnabled(idle and not nothing)
        self._resume.setToolTip(nothing or tr("Continue the newest run where it stopped."))
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


def _run_text(run: ResumableRun) -> str:
    return tr("{title}: {detail}", title=run.title, detail=run.detail)
