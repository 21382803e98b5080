"""The plots: nothing is lost, the newest is in sight, and a million points stay light."""

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyqtgraph as pg
import pytest
import shiboken6
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton

from flowergui.desktop.plots import draw_timer
from flowergui.desktop.plots.batch_columns import BatchColumns
from flowergui.desktop.plots.draw_timer import MAX_INTERVAL_MS, MIN_INTERVAL_MS, PART_PAUSE_MS
from flowergui.desktop.plots.live_plot import LivePlot
from flowergui.desktop.plots.metric import LOSS
from flowergui.desktop.plots.plot_pane import SIDES
from flowergui.desktop.style import theme
from flowergui.events import BatchDone, EpochDone

PER_EPOCH = 10


def batch(step: int, loss: float = 1.0) -> BatchDone:
    epoch = (step - 1) // PER_EPOCH + 1
    number = (step - 1) % PER_EPOCH + 1
    return BatchDone(epoch, number, PER_EPOCH, step, loss, 0.5, 0.001, 32)


def epoch(number: int, accuracy: float | None) -> EpochDone:
    loss = None if accuracy is None else 1 - accuracy
    return EpochDone(
        number, 30, number * PER_EPOCH, 0.5, 0.8, loss, accuracy, accuracy or 0, number, 0.001, 2.0
    )


class Painted(QObject):
    """Notes which plot is painted."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._told.append(f"paint {watched.parent().objectName().removesuffix('Plot')}")
        return False


@pytest.fixture
def plot(qtbot):
    widget = LivePlot()
    qtbot.addWidget(widget)
    widget.resize(640, 560)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def pane(plot, name) -> pg.PlotWidget:
    return plot.findChild(pg.PlotWidget, f"{name}Plot")


def curve(plot, pane_name, name):
    items = pane(plot, pane_name).listDataItems()
    return next(item for item in items if item.name() == name)


def x_range(plot, name="loss"):
    return pane(plot, name).getViewBox().viewRange()[0]


def test_every_batch_is_in_both_plots(plot):
    plot.append([batch(step, loss=2 / step) for step in range(1, 51)])
    plot.append([batch(step, loss=2 / step) for step in range(51, 101)])
    plot.draw()
    for name in ("loss", "accuracy"):
        x, _ = curve(plot, name, "every batch").getData()
        assert x.tolist() == list(range(1, 101))
    assert curve(plot, "loss", "every batch").getData()[1] == pytest.approx(
        [2 / step for step in range(1, 101)]
    )
    assert np.all(curve(plot, "accuracy", "training").getData()[1] == pytest.approx(0.5))


def test_slots_do_not_draw_but_the_timer_does(plot, qtbot):
    drawn = curve(plot, "loss", "every batch")
    plot.append([batch(1), batch(2)])
    assert drawn.getData()[0] is None
    qtbot.waitUntil(lambda: drawn.getData()[0] is not None)
    assert len(drawn.getData()[0]) == 2


class Paintings(QObject):
    """Counts how often the plots are painted."""

    def __init__(self, plot):
        super().__init__()
        self.seen = []
        for each in plot.findChildren(pg.PlotWidget):
            each.viewport().installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            self.seen.append(watched)
        return False


def test_what_is_drawn_is_not_painted_twice(plot, qtbot):
    paintings = Paintings(plot)
    plot.follow(200)
    plot.append([batch(step) for step in range(1, 301)])
    counts = []
    for step in range(301, 311):  # each moves the steps in sight
        plot.append([batch(step)])
        paintings.seen.clear()
        plot.draw()
        for _ in range(20):  # painting may ask for painting
            QApplication.processEvents()
        counts.append(len(paintings.seen))
    assert counts[-5:] == [2] * 5


@pytest.mark.parametrize(
    ("count", "seconds", "milliseconds"),
    [
        (5, 0.02, MIN_INTERVAL_MS),
        (100, 0.001, MIN_INTERVAL_MS),
        (100, 0.02, 400),
        (100, 3600.0, MAX_INTERVAL_MS),
    ],
)
def test_drawing_has_its_share_of_the_time(
    plot, qtbot, monkeypatch, count: int, seconds: float, milliseconds: int
):
    asked: list[float] = []

    def clock() -> float:
        asked.append((seconds + PARTS * PART_PAUSE_MS / 1000) * len(asked))
        return asked[-1]

    monkeypatch.setattr(draw_timer, "time", SimpleNamespace(perf_counter=clock))
    plot.append([batch(step) for step in range(1, count + 1)])
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert plot._drawing.interval_timer.interval() == milliseconds


def test_what_is_last_does_not_wait_for_its_turn(plot, qtbot):
    plot._drawing.interval_timer.setInterval(600_000)  # as after drawings that took long
    plot.append([batch(step) for step in range(1, 11)])
    plot.hurry()
    qtbot.waitUntil(lambda: plot._drawing.interval_timer.interval() == MIN_INTERVAL_MS)
    assert curve(plot, "accuracy", "every batch").getData()[0].tolist() == list(range(1, 11))
    plot.hurry()  # there is nothing new
    assert not plot._drawing.interval_timer.isActive()


def test_another_height_does_not_have_everything_painted_twice(plot):
    plot.append([batch(step) for step in range(1, 21)])
    plot.draw()
    told = []
    watch = Painted(told)
    for name in ("loss", "accuracy"):
        pane(plot, name).viewport().installEventFilter(watch)
    for less in (13, 26, 0):
        for _ in range(10):
            QApplication.processEvents()
        told.clear()
        plot.resize(plot.width(), 500 - less)
        plot._drawing.interval_timer.stop()
        for _ in range(10):
            QApplication.processEvents()
        assert {"paint loss", "paint accuracy"} == set(told)
        assert len(told) <= 3  # the steps of one follow the other's


PARTS = 8
"""Of a drawing: curves, what stands beside them, axes, and painting, of both plots."""


def test_it_is_drawn_and_painted_in_parts(plot, qtbot):
    told = []
    watch = Painted(told)
    for name in ("loss", "accuracy"):
        pane(plot, name).viewport().installEventFilter(watch)
    go_on = plot._drawing.draw_part
    plot._drawing.pause_timer.timeout.disconnect()
    plot._drawing.pause_timer.timeout.connect(lambda: (told.append("stop"), go_on()))
    plot.append([batch(step) for step in range(1, 21)])
    qtbot.waitUntil(lambda: told.count("stop") == PARTS)
    for _ in range(20):  # the axes find their widths
        QApplication.processEvents()
    told.clear()
    plot.append([batch(step) for step in range(21, 41)])  # more than there was room for
    qtbot.waitUntil(lambda: told.count("stop") == PARTS)
    stops = ["stop"] * 3
    assert told == [*stops, "paint loss", "stop", *stops, "paint accuracy", "stop"]
    assert not any(each.held for each in plot._panes)


def draw_partly(plot, parts: int) -> None:
    plot.append([batch(step) for step in range(1, 21)])
    plot._drawing.interval_timer.stop()
    plot._drawing.start()
    for _ in range(parts - 1):
        plot._drawing.draw_part()


def test_a_plot_with_nothing_to_draw_is_painted_as_ever(plot):
    plot.clear()
    plot._drawing.interval_timer.stop()
    plot._drawing.start()
    assert not any(each.held for each in plot._panes)


@pytest.mark.parametrize("parts", range(1, PARTS + 1))
def test_what_is_moved_by_hand_midway_stays_there(plot, parts: int):
    draw_partly(plot, parts)
    plot._loss.plot.setXRange(5, 10, padding=0)
    plot._moved_by_hand()
    plot._drawing.pause_timer.stop()
    plot._drawing.draw_part()
    for name in ("loss", "accuracy"):
        assert pane(plot, name).getViewBox().viewRange()[0] == [5, 10]
    assert not any(each.held for each in plot._panes)


@pytest.mark.parametrize("parts", range(1, PARTS + 1))
def test_a_window_that_is_painted_midway_shows_all_of_it(plot, parts: int):
    """As when it is resized, or looked at with another scheme; nothing may be left as it was."""
    draw_partly(plot, parts)
    picture = QPixmap(plot.size())
    picture.fill(QColor("lime"))
    plot.render(picture)
    image = picture.toImage()
    for name in ("loss", "accuracy"):
        view = pane(plot, name).viewport()
        corners = view.rect().adjusted(2, 2, -2, -2)
        for corner in (corners.topLeft(), corners.bottomRight()):
            assert image.pixelColor(view.mapTo(plot, corner)) == theme.current().color("card")


@pytest.mark.parametrize("parts", range(1, PARTS + 1))
def test_what_is_cleared_midway_is_empty(plot, parts: int):
    draw_partly(plot, parts)
    plot.clear()
    plot._drawing.pause_timer.stop()
    plot._drawing.draw_part()
    for each in plot._panes:
        assert each._batch.xData is None or not len(each._batch.xData)
        assert not each.held
        assert each.plot.getViewBox().viewRange()[1] == [0, 1]


def test_axes_are_drawn_before_they_are_painted(plot):
    plot.append([batch(step) for step in range(1, 15)])
    plot.epoch_done(epoch(1, 0.5))
    plot.draw()
    axes = [each.plot.getAxis(side) for each in plot._panes for side in SIDES]
    assert all(axis.picture is not None for axis in axes)


def test_axes_that_say_the_same_are_not_drawn_anew(plot):
    plot.append([batch(step) for step in range(1, 15)])
    plot.epoch_done(epoch(1, 0.5))
    plot.draw()
    QApplication.processEvents()
    axes = [each.plot.getAxis(side) for each in plot._panes for side in ("top", "right")]
    plot.draw()  # settles what changed with the widths of the axes
    drawn = [axis.picture for axis in axes]
    plot.append([batch(step) for step in range(15, 17)])
    plot.draw()
    assert [axis.picture for axis in axes] == drawn


def test_plots_that_are_deleted_draw_no_more(qtbot):
    widget = LivePlot()
    with qtbot.waitExposed(widget):
        widget.show()
    widget.append([batch(step) for step in range(1, 11)])
    qtbot.waitUntil(lambda: not widget._drawing.pending)  # the loss is drawn, the accuracy is not
    shiboken6.delete(widget)
    with qtbot.captureExceptions() as exceptions:
        for _ in range(20):
            QApplication.processEvents()
    assert exceptions == []


def test_a_hidden_plot_draws_when_it_is_shown(plot, qtbot):
    plot.hide()
    plot.append([batch(1), batch(2)])
    plot._drawing.start()
    assert curve(plot, "loss", "every batch").getData()[0] is None
    plot.show()
    qtbot.waitUntil(lambda: curve(plot, "loss", "every batch").getData()[0] is not None)


def test_the_best_validation_is_ringed(plot):
    plot.append([batch(step) for step in range(1, 41)])
    for number, accuracy in enumerate((0.4, 0.7, 0.6, None), 1):
        plot.epoch_done(replace(epoch(number, accuracy), best_epoch=min(number, 2)))
    plot.draw()
    x, y = curve(plot, "accuracy", "validation").getData()
    assert (x[:3].tolist(), y[:3].tolist()) == ([10, 20, 30], [0.4, 0.7, 0.6])
    assert np.isnan(y[3])
    ring = plot._accuracy._best
    assert ring.isVisible()
    assert [point.pos() for point in ring.points()] == [QPointF(20, 0.7)]
    assert "best 70.0%" in plot._accuracy._key.entries_text
    assert "best" not in plot._loss._key.entries_text


@pytest.mark.parametrize("height", [560, 320])
@pytest.mark.parametrize("before", [0.97, 0.2])
def test_the_ring_of_a_perfect_run_is_not_cut_by_the_edge(plot, height: int, before: float):
    """Also where the range was there before, and would have room for the curve."""
    plot.resize(640, height)
    plot.grab()  # lays the plots out
    plot.append([replace(batch(step), accuracy=before) for step in range(1, 41)])
    plot.epoch_done(replace(epoch(1, before), best_epoch=1, val_loss=0.5))
    plot.draw()
    plot.epoch_done(replace(epoch(2, 1.0), best_epoch=2, val_loss=0.0))
    plot.draw()
    for name in ("accuracy", "loss"):
        view = pane(plot, name).getViewBox()
        best = 1.0 if name == "accuracy" else 0.0
        y = view.mapViewToDevice(QPointF(20, best)).y()
        edges = view.mapRectToDevice(view.boundingRect())
        assert edges.top() + 6 <= y <= edges.bottom() - 6


@pytest.mark.parametrize("step", [2, 40, 120, 199, 200])
@pytest.mark.parametrize("text", ["96 px", "everything trains"])
def test_the_text_of_a_mark_is_not_cut_by_the_edge(plot, step: int, text: str):
    plot.append([batch(number) for number in range(1, 201)])
    plot.mark(step, text)
    plot.follow(200)
    plot.draw()
    pane(plot, "loss").setXRange(-3, 203, padding=0)  # the range changes after it was placed
    label = plot._loss.marks.all[0].line.label
    seen = pane(plot, "loss").getViewBox().sceneBoundingRect()
    assert seen.contains(label.mapRectToScene(label.boundingRect()))


def test_the_best_is_that_of_best_pth(plot):
    """Where new photos have come, the search for it began anew: the run says so."""
    for number, (accuracy, best) in enumerate(((0.9, 1), (0.6, 2), (0.5, 2)), 1):
        plot.epoch_done(replace(epoch(number, accuracy), best_epoch=best))
    plot.draw()
    assert [point.pos().x() for point in plot._accuracy._best.points()] == [20]
    plot.rewind(10)
    plot.draw()
    assert [point.pos().x() for point in plot._accuracy._best.points()] == [10]


def test_epochs_that_nobody_validated_trouble_no_plot(plot):
    """pyqtgraph warns at each painting of symbols that are nowhere; warnings are errors here."""
    plot.append([batch(1), batch(2)])
    plot.epoch_done(epoch(1, None))
    plot.draw()
    plot.grab()
    plot.epoch_done(replace(epoch(2, 0.8), val_loss=float("inf")))  # right, though it ran away
    plot.draw()
    plot.grab()
    plot.epoch_done(epoch(3, 0.6))
    plot.draw()
    plot.grab()
    assert curve(plot, "accuracy", "validation").getData()[1].tolist()[1:] == [0.8, 0.6]


def test_zoom_windows_follow_and_moving_by_hand_ends_it(plot, qtbot):
    plot.append([batch(step) for step in range(1, 2001)])
    plot.draw()
    low, high = x_range(plot)
    assert low <= 0
    assert 2000 <= high <= 2300
    qtbot.mouseClick(plot.findChild(QPushButton, "window200"), Qt.MouseButton.LeftButton)
    plot.draw()
    low, high = x_range(plot)
    assert low == 1800
    assert 2000 <= high <= 2020
    assert x_range(plot, "accuracy") == pytest.approx([low, high], abs=2)

    view = pane(plot, "loss").getViewBox()
    view.setXRange(500, 600, padding=0)
    view.sigRangeChangedManually.emit([True, False])
    plot.append([batch(2001)])
    plot.draw()
    assert x_range(plot) == pytest.approx([500, 600])
    assert not plot.findChild(QPushButton, "window200").isChecked()

    qtbot.mouseClick(plot.findChild(QPushButton, "windowAll"), Qt.MouseButton.LeftButton)
    plot.draw()
    assert x_range(plot)[1] >= 2001
    assert plot.findChild(QPushButton, "windowAll").isChecked()


def test_outliers_and_nan_do_not_flatten_the_loss(plot):
    losses = [1 + 0.5 * np.sin(step) for step in range(1, 101)]
    losses[40], losses[41], losses[42] = 1e9, float("nan"), float("inf")
    plot.append([batch(step, loss) for step, loss in enumerate(losses, 1)])
    plot.draw()
    low, high = pane(plot, "loss").getViewBox().viewRange()[1]
    assert 0 < low < 0.5
    assert 1.5 < high < 2


def test_validation_far_from_training_stays_in_sight(plot):
    plot.append([batch(step, 0.01 + step / 1e6) for step in range(1, 101)])
    plot.epoch_done(epoch(10, 0.1))
    plot.draw()
    assert pane(plot, "loss").getViewBox().viewRange()[1][1] > 0.9


def test_a_resumed_run_replaces_what_it_does_again(plot):
    plot.append([batch(step, loss=9.0) for step in range(1, 36)])
    plot.epoch_done(epoch(1, 0.3))
    plot.epoch_done(epoch(2, 0.4))
    plot.epoch_done(epoch(3, 0.9))
    plot.mark(25, "everything trains")
    plot.append([batch(step, loss=1.0) for step in range(21, 31)])
    plot.draw()
    x, y = curve(plot, "loss", "every batch").getData()
    assert x.tolist() == list(range(1, 31))
    assert y.tolist() == [9.0] * 20 + [1.0] * 10
    assert curve(plot, "accuracy", "validation").getData()[0].tolist() == [10, 20]
    assert plot.marks == ()


def test_load_shows_history_and_clear_forgets_it(plot):
    plot.append([batch(step, loss=9.0) for step in range(1, 6)])
    plot.load(
        BatchColumns.of([batch(step) for step in range(1, 21)]), [epoch(1, 0.3), epoch(2, 0.4)]
    )
    plot.draw()
    assert len(curve(plot, "loss", "every batch").getData()[0]) == 20
    assert not plot._hint.isVisible()
    plot.clear()
    assert plot._hint.isVisible()
    assert curve(plot, "loss", "every batch").getData()[0] is None
    plot.draw()
    assert plot._hint.isVisible()


def test_marks_stand_in_both_plots_with_one_text(plot):
    plot.append([batch(step) for step in range(1, 31)])
    plot.mark(12, "2,565 train")
    plot.draw()
    for name in ("loss", "accuracy"):
        lines = [
            item
            for item in pane(plot, name).getPlotItem().items
            if isinstance(item, pg.InfiniteLine) and item.isVisible()
        ]
        assert [line.value() for line in lines] == [12]
    assert plot.marks == ((12, "2,565 train"),)


def test_hovering_reads_out_the_nearest_batch(plot):
    plot.append([batch(step, loss=step / 10) for step in range(1, 31)])
    plot.epoch_done(epoch(2, 0.75))
    plot.draw()
    loss = pane(plot, "loss")
    where = loss.getViewBox().mapViewToScene(QPointF(15.2, 1.5))
    loss.scene().sigMouseMoved.emit(where)
    assert plot._readout.isVisible()
    text = plot._readout.text().replace("\N{NO-BREAK SPACE}", " ")
    for part in ("Step 15", "epoch 2", "1.500", "50.0%", "75.0%", "learning rate 0.001"):
        assert part in text
    QApplication.sendEvent(loss.viewport(), QEvent(QEvent.Type.Leave))
    assert not plot._readout.isVisible()


def test_an_epoch_that_nobody_validated_has_no_number_to_read_out(plot):
    plot.append([batch(step) for step in range(1, 2 * PER_EPOCH + 1)])
    plot.epoch_done(epoch(1, None))
    plot.epoch_done(replace(epoch(2, 0.75), val_loss=float("nan")))
    first, second = plot.read_out(0), plot.read_out(PER_EPOCH)
    assert first.count("–") == 2
    assert "not a number" not in first
    assert "not a number" in second  # a loss that was computed
    assert "75.0%" in second


def test_colours_change_with_the_theme(plot, qapp):
    theme.apply(qapp, "dark")
    assert curve(plot, "loss", "training").opts["pen"].color() == QColor(theme.DARK.train)
    assert pane(plot, "loss").backgroundBrush().color() == QColor(theme.DARK.card)
    theme.apply(qapp, "light")
    assert curve(plot, "loss", "training").opts["pen"].color() == QColor(theme.LIGHT.train)


def test_a_million_points_are_drawn_in_a_frame(plot):
    steps = np.arange(1, 1_000_001)
    noise = np.random.default_rng(0).normal(1, 0.1, len(steps))
    ones = np.ones(len(steps))
    plot._batches.append(
        step=steps,
        epoch=steps // 1000 + 1,
        loss=noise,
        accuracy=noise / 2,
        rate=ones,
        loss_smooth=ones,
        accuracy_smooth=ones / 2,
    )
    plot.draw()
    took = []
    for step in range(1_000_001, 1_000_008):
        plot.append([batch(step)])
        begun = time.perf_counter()
        plot.draw()
        took.append(time.perf_counter() - begun)
    assert len(curve(plot, "loss", "every batch").getData()[0]) < 5_000
    # About 18 ms on a two-core machine; the bound leaves room for a busy one.
    assert min(took) < 0.1


def test_a_loss_that_runs_away_is_written_short():
    assert LOSS.text(2.8648e32) == "2.9e+32"
    assert LOSS.text(9_999.0) == "9999.000"
    assert LOSS.text(float("nan")) == "not a number"


@pytest.mark.parametrize(
    ("width", "named"), [(640, "learning rate now"), (340, "rate now"), (230, "val")]
)
def test_the_newest_values_fit_beside_the_title(plot, width: int, named: str):
    plot.resize(width, 560)
    plot.append([batch(step) for step in range(1, 11)])
    plot.epoch_done(epoch(1, 0.5))
    plot.draw()
    key = plot._loss._key
    assert key.shown_names()[-1] == named
    assert "learning rate now 0.001" in key.accessibleName()
    assert key.text_width(key.shown_names()) <= key.width()
    assert (key.toolTip() == "") == (width == 640)
    assert key.geometry().left() >= plot._loss._title.geometry().right()
    assert key.height() >= key.fontMetrics().height()


@pytest.mark.parametrize(("loss", "seen"), [(2e11, False), (40.0, False), (25.0, True)])
def test_a_validation_that_went_wrong_does_not_flatten_the_rest(plot, loss, seen):
    plot.append([batch(step, loss=0.9) for step in range(1, 21)])
    for number in (1, 2):
        plot.epoch_done(replace(epoch(number, 0.2), val_loss=loss if number == 1 else 1.1))
    plot.draw()
    low, high = pane(plot, "loss").getViewBox().viewRange()[1]
    assert (low <= loss <= high) == seen
    assert low <= 0.9
    assert high >= 1.1
    assert seen or high < 2
    low, high = pane(plot, "accuracy").getViewBox().viewRange()[1]
    assert low <= 0.2 <= high


def test_a_run_of_known_length_shows_how_far_it_is(plot):
    plot.expect(400)
    plot.append([batch(step) for step in range(1, 41)])
    plot.draw()
    assert (
        pane(plot, "loss").getViewBox().viewRange()[0][1] < 60
    )  # else it would be all at the left
    plot.append([batch(step) for step in range(41, 121)])
    plot.draw()
    low, high = pane(plot, "loss").getViewBox().viewRange()[0]
    assert (low, round(high)) == (0, 412)
    plot.append([batch(step) for step in range(121, 441)])  # it got more epochs
    plot.draw()
    assert pane(plot, "loss").getViewBox().viewRange()[0][1] > 440
