"""The list of runs, and what can be done with the current one."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal, SignalInstance, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from flowergui.desktop.accessibility import announce
from flowergui.desktop.context_menus.table_actions import TableActions
from flowergui.desktop.runs.run_table import RunTable
from flowergui.desktop.runs.runs_model import RunsModel
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card, WrappingRow
from flowergui.desktop.widgets.file_dialogs import choose_export, choose_table
from flowergui.desktop.widgets.file_manager import show_folder
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.desktop.widgets.search_field import SearchField
from flowergui.facts import RunFacts
from flowergui.text import file_size, tr, trn


class RunListCard(Card):
    """Shows the runs of a model. Every request is for the current run (RunFacts)."""

    resume_requested = Signal(object)
    """The user wants to resume it."""
    settings_requested = Signal(object)
    """The user wants a new run with its settings."""
    prediction_requested = Signal(object)
    """The user wants it to predict dropped images."""
    evaluation_requested = Signal(object)
    """The user wants to evaluate it."""
    export_requested = Signal(object, str, object)
    """The user wants its network as a file, at this path."""
    removal_requested = Signal(object)
    """The user does not want it any more."""
    note_requested = Signal(object)
    """The user wants to write a note on it."""
    watch_requested = Signal(object)
    """The user wants to watch it, while another process trains it."""
    other_watch_requested = Signal()
    """The user wants to watch a run in another folder."""
    table_requested = Signal(str)
    """The user wants all runs as a table in this file."""
    current_changed = Signal()
    """Another run is the current one."""

    def __init__(self, runs: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(tr("Runs"), parent)
        self._runs = runs
        self._idle, self._training = True, ""
        self._sum = QLabel()
        self._sum.setObjectName("runsSum")
        theme.style(self._sum, role="caption")
        self._save = quiet_button(tr("Save table…"), "saveRunsButton")
        self._save.setToolTip(tr("Save the results and settings of all runs as a table (.csv)."))
        self._save.clicked.connect(self._ask_for_table)
        self.head.addWidget(self._sum)
        self._watch_other = quiet_button(tr("Watch a run…"), "watchOtherButton")
        self._watch_other.setToolTip(
            tr("Follow a run in another folder, which another computer trains.")
        )
        self._watch_other.clicked.connect(self.other_watch_requested)
        self.head.addWidget(self._watch_other)
        self.head.addWidget(self._save)
        self.table = RunTable(runs)
        self.table.current_run_changed.connect(self.current_changed)
        self.table.current_run_changed.connect(self.refresh)
        self.table.note_requested.connect(lambda: self._request(self.note_requested))
        self.table.setMinimumHeight(8 * self.fontMetrics().height())
        self._search = SearchField("runsSearch", tr("Search runs"))
        self._search.searched.connect(self.table.search)
        self.body.addWidget(self._search)
        self.body.addWidget(self.table, 1)
        self._nothing = small_label(text=tr("Looking for runs…"))
        self._nothing.setObjectName("noRuns")
        self.body.addWidget(self._nothing, 1)
        self._note = small_label()
        self._note.setObjectName("runsNote")
        self._note.hide()
        self._offer = quiet_button("", "runsOffer")
        self._offer.hide()
        self._offer.clicked.connect(self._take_offer)
        self._offered: Callable[[], object] | None = None
        said = QHBoxLayout()
        said.addWidget(self._note, 1)
        said.addWidget(self._offer)
        self.body.addLayout(said)
        self.body.addWidget(self._make_buttons())
        self._make_menu()
        self.refresh()

    def _make_buttons(self) -> WrappingRow:
        def button(text: str, name: str, tip: str, act: Callable[[], object]) -> QPushButton:
            made = QPushButton(text)
            made.setObjectName(name)
            made.setToolTip(tip)
            made.setAutoDefault(False)
            made.clicked.connect(lambda: act())
            return made

        def request(signal: SignalInstance) -> Callable[[], None]:
            return lambda: self._request(signal)

        self._resume = button(
            tr("Resume"),
            "resumeRunButton",
            tr("Choose this run under “Start from”, where it can be resumed."),
            request(self.resume_requested),
        )
        self._take_settings = button(
            tr("New run with these settings"),
            "takeSettingsButton",
            tr("Start a new run with the same settings, and change what you like."),
            request(self.settings_requested),
        )
        self._evaluate = button(
            tr("Evaluation…"),
            "evaluateRunButton",
            tr("How accurate it is on images that it was not trained on, and its errors."),
            request(self.evaluation_requested),
        )
        self._predict = button(
            tr("Use for predictions"),
            "predictWithRunButton",
            tr("Use this run's best checkpoint for dropped images."),
            request(self.prediction_requested),
        )
        self._export = button(
            tr("Export…"),
            "exportRunButton",
            tr("Its best network as a file, for other computers and programs."),
            self._ask_where_to_export,
        )
        self._write_note = quiet_button(tr("Note…"), "noteButton")
        self._write_note.setToolTip(tr("Write a note on this run (F2)."))
        self._write_note.clicked.connect(request(self.note_requested))
        self._folder = quiet_button(tr("Show its folder"), "showRunButton")
        self._folder.clicked.connect(self._show_folder)
        self._remove = quiet_button(tr("Move to trash…"), "removeRunButton")
        self._remove.clicked.connect(request(self.removal_requested))
        uses = WrappingRow(spacing=theme.SPACE, apart=False)
        uses.add((self._resume, self._take_settings), (self._evaluate, self._predict, self._export))
        row = WrappingRow(spacing=theme.SPACE)
        row.add((uses,), (self._write_note, self._folder, self._remove))
        return row

    def _make_menu(self) -> None:
        """A right click on a run offers what the buttons do."""
        self._actions: list[tuple[QAction, QPushButton]] = []
        for button in (
            self._resume, self._take_settings, self._evaluate, self._predict, self._export,
            self._write_note, self._folder, self._remove,
        ):  # fmt: skip
            action = QAction(button.text(), self.table)
            action.triggered.connect(button.click)
            self._actions.append((action, button))
            self.table.addAction(action)
        self._watch = QAction(tr("Watch"), self.table)
        self._watch.setObjectName("watchRunAction")
        self._watch.triggered.connect(self._request_watch)
        self.table.insertAction(self._actions[1][0], self._watch)
        line = QAction(self.table)
        line.setSeparator(True)
        self.table.addAction(line)
        TableActions(self.table, "runs.csv")

    # --- what it shows --------------------------------------------------------------------

    def set_state(self, *, idle: bool, training: str) -> None:
        """Whether a run could start now; and the folder of the one that trains, "" for none."""
        self._idle, self._training = idle, training
        self.refresh()

    def show_listed(self) -> None:
        """The runs have been looked for: if there are none, it says so."""
        self._nothing.setText(tr("No runs yet. Each one that you start will be listed here."))
        self.refresh()

    def show_note(self, text: str, *, is_error: bool = False) -> None:
        """Says something below the list; "" takes it back."""
        self._note.setText(text)
        self._note.setVisible(bool(text))
        announce(self, text, urgent=is_error)
        theme.style(self._note, role="error" if is_error else "caption")
        self._offer.hide()

    def offer(self, text: str, act: Callable[[], object]) -> None:
        """Shows a button beside what was said last; it goes with that."""
        self._offered = act
        self._offer.setText(text)
        self._offer.show()

    @Slot()
    def _take_offer(self) -> None:
        act = self._offered
        self.show_note("")
        if act is not None:
            act()

    @Slot()
    def refresh(self) -> None:
        """Shows what there is now, and what can be done."""
        runs = self._runs.runs
        size = file_size(sum(each.size for each in runs))
        self._sum.setText(
            trn("{count} run, {size}", "{count} runs, {size}", len(runs), size=size) if runs else ""
        )
        self._save.setEnabled(bool(runs))
        self._search.show_for(len(runs))
        self.table.setVisible(bool(runs))
        self._nothing.setVisible(not runs)
        listed = self.table.current
        run = listed.run if listed else None
        can_predict = bool(run and (run.best or run.last))
        self._resume.setEnabled(self._idle and bool(run and run.last))
        self._take_settings.setEnabled(self._idle and run is not None)
        self._watch.setEnabled(self._idle and run is not None)
        self._watch_other.setEnabled(self._idle)
        for button in (self._evaluate, self._predict, self._export):
            button.setEnabled(can_predict)
        for button in (self._write_note, self._folder):
            button.setEnabled(run is not None)
        self._remove.setEnabled(run is not None and run.path != self._training)
        for action, button in self._actions:
            action.setEnabled(button.isEnabled())

    # --- what is asked for ----------------------------------------------------------------

    def _current(self) -> RunFacts | None:
        self.show_note("")
        return listed.run if (listed := self.table.current) else None

    def _request(self, signal: SignalInstance) -> None:
        if run := self._current():
            signal.emit(run)

    def _ask_where_to_export(self) -> None:
        if run := self._current():
            choose_export(
                self,
                tr("Export the network"),
                f"{Path(run.path).name}.safetensors",
                lambda path, options: self.export_requested.emit(run, path, options),
            )

    @Slot()
    def _show_folder(self) -> None:
        if run := self._current():
            self.show_note(show_folder(run.path), is_error=True)

    @Slot()
    def _request_watch(self) -> None:
        self._request(self.watch_requested)

    @Slot()
    def _ask_for_table(self) -> None:
        choose_table(self, tr("Save the table of runs"), "runs.csv", self.table_requested.emit)
