"""The curves of the runs that are compared, and the settings in which they differ."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from flowergui.config.recipe_diff import differences
from flowergui.desktop.accessibility import radio_group
from flowergui.desktop.plots.metric import ACCURACY, LOSS
from flowergui.desktop.plots.run_curves import EPOCHS, MINUTES, RunCurve, RunCurves
from flowergui.desktop.run_names import run_label
from flowergui.desktop.runs.difference_table import DifferenceTable
from flowergui.desktop.widgets.card import Card, Segments
from flowergui.desktop.widgets.labels import small_label
from flowergui.events import RunListed
from flowergui.text import tr

Compared = Sequence[tuple[RunListed, int]]
"""Runs, each with the number of its colour."""


class CurvesCard(Card):
    """Plots accuracy or loss by epochs or minutes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._by_path: dict[str, RunCurve] = {}
        self._plot = RunCurves()
        self._plot.setMinimumSize(260, 140)
        row = QHBoxLayout()
        row.addWidget(
            self._segments(
                self._plot.show_metric,
                (tr("Accuracy"), "runsAccuracy", ACCURACY),
                (tr("Loss"), "runsLoss", LOSS),
            )
        )
        row.addStretch(1)
        row.addWidget(
            self._segments(
                self._plot.set_x_axis,
                (tr("By epochs"), "runsByEpochs", EPOCHS),
                (tr("By minutes"), "runsByMinutes", MINUTES),
            )
        )
        self.body.addLayout(row)
        self.body.addWidget(self._plot, 1)
        self.body.addWidget(
            small_label(text=tr("Strong: validation, with the best epoch ringed. Faint: training."))
        )

    def _segments(
        self, show: Callable[[Any], object], *choices: tuple[str, str, object]
    ) -> Segments:
        buttons = []
        for text, name, value in choices:
            button = QPushButton(text)
            button.setObjectName(name)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, value=value: show(value))
            buttons.append(button)
        radio_group(buttons, self)
        segments = Segments(buttons)
        buttons[0].setChecked(True)
        for button in buttons:
            button.setMinimumWidth(button.sizeHint().width())
        return segments

    def show_runs(self, compared: Compared, current: str) -> None:
        """Draws these, the one in the folder `current` on top."""
        before, self._by_path = self._by_path, {}
        for each, slot in compared:
            curve = before.get(each.run.path)
            name = run_label(each.run)
            known = None if curve is None else (curve.name, curve.slot)
            if curve is None or curve.epochs is not each.epochs or known != (name, slot):
                best = each.best.epoch if each.best else 0
                curve = RunCurve(name, slot, each.epochs, best)
            self._by_path[each.run.path] = curve
        self.set_current(current)

    def set_current(self, path: str) -> None:
        """Draws the run in this folder on top."""
        top = self._by_path.get(path)
        self._plot.show_curves([*self._by_path.values()], top.slot if top else None)

    def recolor(self) -> None:
        """Takes the colours of another theme."""
        self._plot.recolor()


class DifferencesCard(Card):
    """Lists the settings in which runs differ."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Differences"), parent)
        self._none = small_label()
        self._none.setObjectName("noDifferences")
        self._table = DifferenceTable()
        self._table.setMinimumWidth(200)
        self.body.addWidget(self._none)
        self.body.addWidget(self._table, 1)
        self.body.addStretch(0)

    def show_runs(self, compared: Compared) -> None:
        """Shows in what these differ."""
        found = differences([each.run.recipe for each, _ in compared])
        several = len(compared) > 1
        self._table.setVisible(several and bool(found))
        self._table.show_differences([(each.run, slot) for each, slot in compared], found)
        self._none.setVisible(not (several and found))
        self._none.setText(
            tr("They have the same settings.")
            if several
            else tr("Tick two or more runs to see their differences.")
        )

    def recolor(self) -> None:
        """Takes the colours of another theme."""
        self._table.horizontalHeader().viewport().update()
