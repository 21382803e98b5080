"""All runs on disk, side by side: their results, their curves, and how their settings differ."""

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QSplitter, QWidget

from flowergui.desktop.runs.comparison_cards import CurvesCard, DifferencesCard
from flowergui.desktop.runs.run_list_card import RunListCard
from flowergui.desktop.runs.runs_model import RunsModel
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.desktop.widgets.windows import ScrollingRows, resize_within_screen
from flowergui.events import RunListed
from flowergui.text import tr

COMPARED_AT_FIRST = 4
"""So many of the newest runs on the same images are checked at first."""
VISIBLE_ROWS = 7
"""Rows of the list that are visible at first."""


class RunsWindow(QDialog):
    """Shows runs and emits requests for the current one; does not block the window that it
    belongs to."""

    resume_requested = Signal(object)
    """The user wants to resume this run (RunFacts)."""
    settings_requested = Signal(object)
    """The user wants a new run with the settings of this one (RunFacts)."""
    prediction_requested = Signal(object)
    """The user wants this run (RunFacts) to predict dropped images."""
    evaluation_requested = Signal(object)
    """The user wants to evaluate this run (RunFacts)."""
    export_requested = Signal(object, str, object)
    """The user wants the network of this run (RunFacts) as a file, at this path, with these
    ExportOptions."""
    removal_requested = Signal(object)
    """The user does not want this run (RunFacts) any more."""
    note_requested = Signal(object)
    """The user wants to write a note on this run (RunFacts)."""
    watch_requested = Signal(object)
    """The user wants to watch this run (RunFacts), while another process trains it."""
    other_watch_requested = Signal()
    """The user wants to watch a run in another folder."""
    table_requested = Signal(str)
    """The user wants all runs as a table in this file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runsWindow")
        self.setWindowTitle(tr("Runs"))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self._runs = RunsModel(self)
        self._runs.compared.connect(self._compare)
        self._list = RunListCard(self._runs)
        self._curves, self._differences = CurvesCard(), DifferencesCard()
        self._list.current_changed.connect(self._raise_current)
        for name in (
            "resume", "settings", "prediction", "evaluation", "export", "removal", "note", "table",
            "watch", "other_watch",
        ):  # fmt: skip
            signal = f"{name}_requested"
            getattr(self._list, signal).connect(getattr(self, signal))
        self._lay_out()
        theme.signals.changed.connect(self._recolor)
        self._compare()

    def _lay_out(self) -> None:
        below = QSplitter(Qt.Orientation.Horizontal)
        both = QSplitter(Qt.Orientation.Vertical)
        for splitter, parts in (
            (below, (self._curves, self._differences)),
            (both, (self._list, below)),
        ):
            splitter.setHandleWidth(theme.SPACE)
            splitter.setChildrenCollapsible(False)
            for place, part in enumerate(parts):
                splitter.addWidget(part)
                splitter.setStretchFactor(place, 1)
        ScrollingRows(self).rows.addWidget(both, 1)
        line = self.fontMetrics().height()
        resize_within_screen(self, 76 * line, 48 * line)
        both.setSizes([(VISIBLE_ROWS + 7) * line + 60, 26 * line])
        below.setSizes([42 * line, 32 * line])

    # --- for its controller ---------------------------------------------------------------

    def show_runs(self, runs: Iterable[RunListed]) -> None:
        """Shows all runs, newest first."""
        first = not self._runs.runs
        self._runs.show_runs(runs)
        if first:
            self._runs.check(_comparable(self._runs.runs))
        self._list.show_listed()
        if self._list.table.current is None:
            self._list.table.set_current("")
        if first:
            self._list.table.setFocus()

    def update_run(self, listed: RunListed) -> None:
        """A run has done more, or is new."""
        if self._runs.update(listed):
            self._runs.check([listed.run.path])  # who starts a run wants to see it
        self._list.refresh()
        if self._list.table.current is None:
            self._list.table.set_current(listed.run.path)

    def set_state(self, *, idle: bool, training: str = "") -> None:
        """Whether a run could start now; and the folder of the one that trains."""
        self._list.set_state(idle=idle, training=training)

    def show_note(self, text: str, *, is_error: bool = False) -> None:
        """Says something in the window; "" takes it back."""
        self._list.show_note(text, is_error=is_error)

    def offer(self, text: str, act: Callable[[], object]) -> None:
        """Shows a button beside what was said last; it goes with that."""
        self._list.offer(text, act)

    @property
    def runs(self) -> RunsModel:
        """The runs, and which of them are compared."""
        return self._runs

    @property
    def current(self) -> RunListed | None:
        """The run that requests are for."""
        return self._list.table.current

    # --- what it shows --------------------------------------------------------------------

    @Slot()
    def _compare(self) -> None:
        compared = self._runs.checked()
        self._curves.show_runs(compared, self._current_path())
        self._differences.show_runs(compared)

    @Slot()
    def _raise_current(self) -> None:
        self._curves.set_current(self._current_path())

    def _current_path(self) -> str:
        return self.current.run.path if self.current else ""

    @Slot(object)
    def _recolor(self, look: Theme) -> None:
        self._list.table.viewport().update()
        self._differences.recolor()
        self._curves.recolor()


def _comparable(runs: Sequence[RunListed]) -> list[str]:
    """The newest run that has done an epoch, and those before it on the same dataset."""
    measured = [each for each in runs if each.epochs]
    dataset = measured[0].run.recipe.photos if measured else ""
    same = [each.run.path for each in measured if each.run.recipe.photos == dataset]
    return same[:COMPARED_AT_FIRST]
