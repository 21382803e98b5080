"""Plots by the keyboard, and what they show in words and numbers."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QTableView

from flowergui.desktop.linear_probe.learning_curve_plot import LearningCurvePlot
from flowergui.desktop.plots.chart_frame import PAN_SHARE, ZOOM, PlotFrame
from flowergui.desktop.plots.live_plot import LivePlot
from flowergui.desktop.plots.metric import LOSS
from flowergui.desktop.plots.run_curves import RunCurve, RunCurves
from flowergui.events import BatchDone, EpochDone, LearningCurveEstimated
from flowergui.facts import CurvePoint

EPOCHS = tuple(
    EpochDone(epoch, 4, 4 * epoch, 1.0, 0.5, 0.9, 0.1 * epoch, 0.4, 4, 0.001, 60.0)
    for epoch in range(1, 5)
)
KEYS = "The arrow keys pan, + and - zoom, 0 shows all."


@pytest.fixture
def runs(qtbot) -> RunCurves:
    made = RunCurves()
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    made.show_curves([RunCurve("mynet, 11-29", 0, EPOCHS, 4), RunCurve("other", 1, EPOCHS[:1], 0)])
    return made


@pytest.fixture
def learning_curve(qtbot) -> LearningCurvePlot:
    made = LearningCurvePlot()
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    *points, twice = (
        CurvePoint(photos, accuracy, accuracy - 0.1, accuracy + 0.08, (accuracy, None))
        for photos, accuracy in ((4, 0.6), (8, 0.7), (16, 0.95))
    )
    classes = "rose", "iris"
    made.show_curve(
        LearningCurveEstimated("/f", "mynet", "V1", classes, (*points,), twice, 0.0, 1.0, ())
    )
    return made


def sight(plot: PlotFrame) -> list[float]:
    across, upwards = plot.plot.getViewBox().viewRange()
    return [*across, *upwards]


@pytest.mark.parametrize("name", ["runs", "learning_curve"])
def test_keys_pan_and_zoom(qtbot, request, name):
    plot = request.getfixturevalue(name)
    whole = left, right, low, high = sight(plot)
    across, upwards = PAN_SHARE * (right - left), PAN_SHARE * (high - low)
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert sight(plot) == pytest.approx([left + across, right + across, low, high])
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    qtbot.keyClick(plot, Qt.Key.Key_Up)
    assert sight(plot) == pytest.approx([left, right, low + upwards, high + upwards])
    qtbot.keyClick(plot, Qt.Key.Key_Down)
    assert sight(plot) == pytest.approx(whole)
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    nearer = sight(plot)
    assert nearer[1] - nearer[0] == pytest.approx((right - left) / ZOOM)
    assert nearer[0] + nearer[1] == pytest.approx(left + right)
    plot.recolor()
    assert sight(plot) == pytest.approx(nearer)  # drawn anew, it stays where the user has put it
    for key in (Qt.Key.Key_0, Qt.Key.Key_Home):
        qtbot.keyClick(plot, Qt.Key.Key_Minus)
        qtbot.keyClick(plot, Qt.Key.Key_Minus)
        assert sight(plot) != pytest.approx(whole)
        qtbot.keyClick(plot, key)
        assert sight(plot) == pytest.approx(whole)


def test_keys_that_zoom_the_interface_leave_the_plot_alone(qtbot, runs):
    before = sight(runs)
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus):
        qtbot.keyClick(runs, key, Qt.KeyboardModifier.ControlModifier)
    assert sight(runs) == before
    qtbot.keyClick(runs, Qt.Key.Key_Plus, Qt.KeyboardModifier.KeypadModifier)
    assert sight(runs) != before


def test_another_metric_is_seen_whole(qtbot, runs):
    qtbot.keyClick(runs, Qt.Key.Key_Plus)
    runs.show_metric(LOSS)
    assert sight(runs)[:2] == pytest.approx([0.0, 1.02 * 4])


def test_keys_move_both_live_plots_until_all_is_asked_for(qtbot):
    live = LivePlot()
    qtbot.addWidget(live)
    live.resize(600, 500)
    live.show()
    live.append([BatchDone(1, n, 100, n, 1.0, 0.5, 0.001, 4) for n in range(1, 101)])
    live.draw()
    left, right = live._loss.plot.getViewBox().viewRange()[0]
    qtbot.keyClick(live._accuracy, Qt.Key.Key_Plus)
    for pane in (live._loss, live._accuracy):
        seen = pane.plot.getViewBox().viewRange()[0]
        assert seen[1] - seen[0] == pytest.approx((right - left) / ZOOM)
    follows = live.findChild(QPushButton, "windowAll")
    assert not follows.isChecked()
    qtbot.keyClick(live._loss, Qt.Key.Key_0)
    live.draw()
    assert live._loss.plot.getViewBox().viewRange()[0] == pytest.approx([left, right])
    assert follows.isChecked()


def test_the_runs_are_told_in_words_and_numbers(qtbot, runs):
    assert runs.accessibleDescription() == (
        "Accuracy. mynet, 11-29: 4 epochs, validation 40.0% in the best one, epoch 4. "
        f"other: 1 epoch. Return shows the numbers as a table. {KEYS}"
    )
    qtbot.keyClick(runs, Qt.Key.Key_Return)
    titles = ["Run", "Epoch", "Minutes", "Training accuracy", "Validation accuracy"]
    assert numbers(runs)[0] == titles
    assert numbers(runs)[4] == ["mynet, 11-29", "4", "4.0", "50.0%", "40.0%"]
    runs.show_metric(LOSS)  # the open table follows
    assert numbers(runs)[4] == ["mynet, 11-29", "4", "4.0", "1.000", "0.900"]
    runs.findChild(QPushButton, "copyNumbers").click()
    assert QGuiApplication.clipboard().text().splitlines()[4].split("\t") == numbers(runs)[4]


def test_the_learning_curve_is_told_in_words_and_numbers(qtbot, learning_curve):
    assert learning_curve.accessibleDescription() == (
        "With 4 images: 60.0%, between 50.0% and 68.0%. With 8 images: 70.0%, between 60.0% and "
        "78.0%. With 16 images: 95.0%, between 85.0% and 100.0%. The last one is extrapolated. "
        f"Return shows the numbers as a table. {KEYS}"
    )
    qtbot.keyClick(learning_curve, Qt.Key.Key_Return)
    assert numbers(learning_curve) == [
        ["Images", "Accuracy", "95% from", "95% to", "rose", "iris"],
        ["4", "60.0%", "50.0%", "68.0%", "60.0%", "–"],
        ["8", "70.0%", "60.0%", "78.0%", "70.0%", "–"],
        ["16", "95.0%", "85.0%", "100.0%", "95.0%", "–"],
    ]


def numbers(plot: PlotFrame) -> list[list[str]]:
    model = plot.findChild(QTableView, "curveNumbers").model()
    across = range(model.columnCount())
    heads = [model.headerData(column, Qt.Orientation.Horizontal) for column in across]
    rows = range(model.rowCount())
    return [heads, *([model.index(row, column).data() for column in across] for row in rows)]
