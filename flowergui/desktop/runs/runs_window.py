"""All runs on disk, side by side: what each came to, how it went, and in what they differ."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, SignalInstance, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from flowergui.config.recipe_diff import differences
from flowergui.desktop.plots.metric import ACCURACY, LOSS
from flowergui.desktop.plots.run_curves import EPOCHS, MINUTES, RunCurve, RunCurves
from flowergui.desktop.runs.difference_table import DifferenceTable
from flowergui.desktop.runs.run_table import RunsModel, RunTable, name_of
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.desktop.widgets.card import Card, Segments
from flowergui.desktop.widgets.file_dialogs import choose_export, choose_table
from flowergui.desktop.widgets.file_manager import show_folder
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.errors import FlowerError
from flowergui.events import RunListed
from flowergui.store import csv_export
from flowergui.text import (
    file_size,
    plural,
)

FIRST = 4
"""So many of the newest runs on the same photos are ticked at first."""
ROWS = 7
"""Rows of the list that are seen at first."""

RESUME = "Choose it under “Start from”, where it can be gone on with."
TAKE = "Begin a new run with the same settings, and change what you like."
MISTAKES = "How often it is right on photos that it has not learned from, and where it is not."
EXPORT = "Its best network as a file, for other computers and programs."
NOTE = "Write what you want to remember of it (F2)."
ANSWER = "Its best network says what the photos show that you drop."


class RunsWindow(QDialog):
    """Shows what it is told; does not block the window that it belongs to."""

    resume_requested = Signal(object)
    """The user wants to go on with this run (RunFacts)."""
    settings_requested = Signal(object)
    """The user wants a new run with the settings of this one (RunFacts)."""
    prediction_requested = Signal(object)
    """The user wants this run (RunFacts) to say what photos show."""
    evaluation_requested = Signal(object)
    """The user wants to know what this run (RunFacts) mistakes."""
    export_requested = Signal(object, str)
    """The user wants the network of this run (RunFacts) as a file, at this path."""
    removal_requested = Signal(object)
    """The user does not want this run (RunFacts) any more."""
    note_requested = Signal(object)
    """The user wants to write a note on this run (RunFacts)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runsWindow")
        self.setWindowTitle("Runs")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self._idle = True
        self._going_on = ""
        self._courses: dict[str, RunCurve] = {}
        self._runs = RunsModel(self)
        self._runs.compared.connect(self._compare)
        below = QSplitter(Qt.Orientation.Horizontal)
        both = QSplitter(Qt.Orientation.Vertical)
        for splitter, parts in (
            (below, (self._make_curves(), self._make_differences())),
            (both, (self._make_list(), below)),
        ):
            splitter.setHandleWidth(theme.SPACE)
            splitter.setChildrenCollapsible(False)
            for place, part in enumerate(parts):
                splitter.addWidget(part)
                splitter.setStretchFactor(place, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[theme.SPACE + 4] * 4)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(both, 1)
        line = self.fontMetrics().height()
        self.resize(QSize(76 * line, 48 * line).boundedTo(self.screen().availableSize() * 0.95))
        both.setSizes([(ROWS + 7) * line + 60, 26 * line])
        below.setSizes([42 * line, 32 * line])
        theme.signals.changed.connect(self._recolor)
        self._show_sum()
        self._compare()
        self._look()

    # --- for its control ------------------------------------------------------------------

    def show_runs(self, runs: Iterable[RunListed]) -> None:
        """These are all, newest first."""
        self._nothing.setText("No runs yet. Each that you start will be kept here.")
        first = not self._runs.runs
        self._runs.show_runs(runs)
        if first:
            self._runs.check(_comparable(self._runs.runs))
        self._show_sum()
        if self._table.current is None:
            self._table.look_at("")
        if first:
            self._table.setFocus()
        self._look()

    def update_run(self, listed: RunListed) -> None:
        """This one has come further, or is new."""
        if self._runs.update(listed):
            self._runs.check([listed.run.path])  # who begins a run wants to see it
        self._show_sum()
        if self._table.current is None:
            self._table.look_at(listed.run.path)
        self._look()

    def set_state(self, *, idle: bool, going_on: str = "") -> None:
        """Whether a run could begin now; and the folder of the one that goes on."""
        self._idle, self._going_on = idle, going_on
        self._look()

    def note(self, text: str, *, wrong: bool = False) -> None:
        """Says something in the window; "" takes it back."""
        self._note.setText(text)
        self._note.setVisible(bool(text))
        theme.style(self._note, role="error" if wrong else "caption")

    @property
    def runs(self) -> RunsModel:
        """What it shows."""
        return self._runs

    # --- its parts ------------------------------------------------------------------------

    def _make_list(self) -> Card:
        card = Card("Runs")
        self._sum = QLabel()
        self._sum.setObjectName("runsSum")
        theme.style(self._sum, role="caption")
        self._save = quiet_button("Save table…", "saveRunsButton")
        self._save.setToolTip("Keep what each came to, and its settings, as a table (.csv).")
        self._save.clicked.connect(self._ask_for_table)
        card.head.addWidget(self._sum)
        card.head.addWidget(self._save)
        self._table = RunTable(self._runs)
        self._table.current_run_changed.connect(self._look_at_another)
        self._table.setMinimumHeight(8 * self.fontMetrics().height())
        card.body.addWidget(self._table, 1)
        self._nothing = small_label(text="Looking for runs…")
        self._nothing.setObjectName("noRuns")
        card.body.addWidget(self._nothing, 1)
        self._note = small_label()
        self._note.setObjectName("runsNote")
        self._note.hide()
        card.body.addWidget(self._note)
        row = QHBoxLayout()
        self._buttons = {}
        for text, name, help, signal in (
            ("Resume", "resumeRunButton", RESUME, self.resume_requested),
            ("Take its settings", "takeSettingsButton", TAKE, self.settings_requested),
            ("Mistakes…", "runMistakesButton", MISTAKES, self.evaluation_requested),
            ("Let it answer", "letAnswerButton", ANSWER, self.prediction_requested),
        ):
            button = QPushButton(text)
            button.setObjectName(name)
            button.setToolTip(help)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, told=signal: self._tell(told))
            self._buttons[name] = button
            row.addWidget(button)
        self._export = QPushButton("Export…")
        self._export.setObjectName("exportRunButton")
        self._export.setToolTip(EXPORT)
        self._export.setAutoDefault(False)
        self._export.clicked.connect(self._ask_where_to_export)
        row.addWidget(self._export)
        row.addStretch(1)
        self._write_note = quiet_button("Note…", "noteButton")
        self._write_note.setToolTip(NOTE)
        self._write_note.clicked.connect(lambda: self._tell(self.note_requested))
        self._table.note_requested.connect(lambda: self._tell(self.note_requested))
        self._folder = quiet_button("Show its folder", "showRunButton")
        self._folder.clicked.connect(self._open_folder)
        self._remove = quiet_button("Move to trash…", "removeRunButton")
        self._remove.clicked.connect(lambda: self._tell(self.removal_requested))
        row.addWidget(self._write_note)
        row.addWidget(self._folder)
        row.addWidget(self._remove)
        card.body.addLayout(row)
        return card

    def _make_curves(self) -> Card:
        card = Card()
        self._curves = RunCurves()
        self._curves.setMinimumSize(260, 140)
        row = QHBoxLayout()
        for place, (choices, then) in enumerate(
            (
                ((("Accuracy", ACCURACY), ("Loss", LOSS)), self._curves.show_quantity),
                ((("By epochs", EPOCHS), ("By minutes", MINUTES)), self._curves.run_by),
            )
        ):
            if place:
                row.addStretch(1)
            group = QButtonGroup(card)
            buttons = []
            for text, value in choices:
                button = QPushButton(text)
                button.setObjectName("runs" + text.title().replace(" ", ""))
                button.setAutoDefault(False)
                button.clicked.connect(lambda _=False, then=then, value=value: then(value))
                group.addButton(button)
                buttons.append(button)
            row.addWidget(Segments(buttons))
            buttons[0].setChecked(True)
            for button in buttons:
                button.setMinimumWidth(button.sizeHint().width())
        card.body.addLayout(row)
        card.body.addWidget(self._curves, 1)
        card.body.addWidget(
            small_label(text="Strong: photos held back, the best epoch ringed. Faint: training.")
        )
        return card

    def _make_differences(self) -> Card:
        card = Card("In what they differ")
        self._same = small_label()
        self._same.setObjectName("noDifferences")
        self._differences = DifferenceTable()
        self._differences.setMinimumWidth(200)
        card.body.addWidget(self._same)
        card.body.addWidget(self._differences, 1)
        card.body.addStretch(0)
        return card

    # --- what it shows --------------------------------------------------------------------

    def _show_sum(self) -> None:
        runs = self._runs.runs
        size = file_size(sum(each.size for each in runs))
        self._sum.setText(f"{plural(len(runs), 'run')}, {size}" if runs else "")
        self._save.setEnabled(bool(runs))
        self._table.setVisible(bool(runs))
        self._nothing.setVisible(not runs)

    @Slot()
    def _compare(self) -> None:
        compared = self._runs.checked()
        before, self._courses = self._courses, {}
        for each, slot in compared:
            course = before.get(each.run.path)
            if course is None or course.epochs is not each.epochs or course.slot != slot:
                best = each.best.epoch if each.best else 0
                course = RunCurve(_name(each), slot, each.epochs, best)
            self._courses[each.run.path] = course
        self._draw()
        found = differences([each.run.recipe for each, _ in compared])
        several = len(compared) > 1
        self._differences.setVisible(several and bool(found))
        self._differences.show_differences([(each.run, n) for each, n in compared], found)
        self._same.setVisible(not (several and found))
        self._same.setText(
            "They have the same settings." if several else "Tick two runs or more to see it."
        )

    @Slot()
    def _look_at_another(self) -> None:
        self._look()
        self._draw()

    def _draw(self) -> None:
        current = self._table.current
        chosen = self._courses.get(current.run.path) if current else None
        self._curves.show_courses([*self._courses.values()], chosen.slot if chosen else None)

    def _look(self) -> None:
        listed = self._table.current
        run = listed.run if listed else None
        answers = bool(run and (run.best or run.last))
        goes_on = bool(run and run.path == self._going_on)
        for name, possible in (
            ("resumeRunButton", self._idle and bool(run and run.last)),
            ("takeSettingsButton", self._idle and run is not None),
            ("runMistakesButton", answers),
            ("letAnswerButton", answers),
        ):
            self._buttons[name].setEnabled(possible)
        self._export.setEnabled(answers)
        for button in (self._write_note, self._folder):
            button.setEnabled(run is not None)
        self._remove.setEnabled(run is not None and not goes_on)

    @Slot(object)
    def _recolor(self, look: Theme) -> None:
        self._table.viewport().update()
        self._differences.horizontalHeader().viewport().update()
        self._curves.recolor()

    # --- what is asked for ----------------------------------------------------------------

    def _tell(self, signal: SignalInstance) -> None:
        self.note("")
        if listed := self._table.current:
            signal.emit(listed.run)

    @Slot()
    def _ask_where_to_export(self) -> None:
        self.note("")
        if listed := self._table.current:
            run = listed.run
            name = f"{Path(run.path).name}.safetensors"
            choose_export(
                self, "Export its network", name, lambda path: self.export_requested.emit(run, path)
            )

    @Slot()
    def _open_folder(self) -> None:
        if listed := self._table.current:
            self.note(show_folder(listed.run.path), wrong=True)

    @Slot()
    def _ask_for_table(self) -> None:
        choose_table(self, "Save what runs came to", "runs.csv", self._write)

    @Slot(str)
    def _write(self, path: str) -> None:
        try:
            csv_export.write_runs(Path(path), self._runs.runs)
        except FlowerError as error:
            self.note(str(error), wrong=True)
        else:
            self.note(f"The table is in {path}.")


def _name(listed: RunListed) -> str:
    return f"{listed.run.recipe.model}, {name_of(listed)}"


def _comparable(runs: Sequence[RunListed]) -> list[str]:
    """The newest run that has done an epoch, and those before it on the same photos."""
    told = [each for each in runs if each.epochs]
    photos = told[0].run.recipe.photos if told else ""
    same = [each.run.path for each in told if each.run.recipe.photos == photos]
    return same[:FIRST]
