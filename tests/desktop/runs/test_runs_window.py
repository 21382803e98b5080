"""Runs side by side: the list, the curves, and in what they differ."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QTableView, QTreeView

from flowergui.config.recipe import SETTING, Recipe
from flowergui.desktop.plots.metric import ACCURACY, LOSS
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.plots.run_curves import TRAINING_OPACITY, RunCurve, RunCurves
from flowergui.desktop.runs.runs_model import DOT_PX, RunColumn
from flowergui.desktop.runs.runs_window import RunsWindow
from flowergui.desktop.style import theme
from flowergui.events import EpochDone, RunListed
from flowergui.facts import RunFacts
from flowergui.requests import ExportOptions


def epochs(*accuracies: float | None, loss: float = 1.0) -> tuple[EpochDone, ...]:
    made = []
    for number, accuracy in enumerate(accuracies, 1):
        held = None if accuracy is None else loss / number
        made.append(
            EpochDone(number, 9, 4 * number, 2 / number, 0.4, held, accuracy, 0.5, 1, 0.001, 30.0)
        )
    return tuple(made)


def listed(day: int, *accuracies: float | None, size: int = 2_000_000, **recipe) -> RunListed:
    usual = {"photos": "/photos/flowers", "mode": "scratch", "model": "resnet18", "epochs": 9}
    settings = Recipe(**{**usual, **recipe})
    path = f"/models/2026-11-{day:02}_14-05-00_{settings.model}_{settings.mode}"
    done = epochs(*accuracies)
    best = f"{path}/best.pth" if done else ""
    last = f"{path}/last.pth" if done else ""
    run = RunFacts(path, settings, 5, len(done), 0.5, last, best)
    measured = [each for each in done if each.val_accuracy is not None]
    top = max(measured, key=lambda each: each.val_accuracy, default=None)
    return RunListed(run, done, top, 30.0 * len(done), size, f"2026-11-{day:02}_14-05-00")


RUNS = [
    listed(9, 0.5, 0.7, model="mynet"),
    listed(8, 0.4, 0.9, 0.8, mode="transfer", learning_rate=0.001),
    listed(7, 0.3, photos="/photos/birds", size=2_500_000_000),
    listed(6, None, None),
    listed(5),
]


@pytest.fixture
def empty(qtbot):
    made = RunsWindow()
    qtbot.addWidget(made)
    made.resize(1000, 680)
    made.show()
    return made


@pytest.fixture
def window(empty):
    empty.set_state(idle=True)
    empty.show_runs(RUNS)
    return empty


def table(window) -> QTreeView:
    return window.findChild(QTreeView, "runTable")


def texts(view: QTableView | QTreeView, column: int) -> list[str]:
    model = view.model()
    rows = range(model.rowCount())
    return [str(model.index(row, column).data()).replace("\xa0", " ") for row in rows]


def button(window, name) -> QPushButton:
    return window.findChild(QPushButton, name)


def label(window, name) -> str:
    return window.findChild(QLabel, name).text()


def checked(window) -> list[int]:
    return [RUNS.index(each) for each, _ in window.runs.checked()]


def tick(window, row: int, on: bool = True) -> None:
    model = table(window).model()
    state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
    assert model.setData(model.index(row, 0), state, Qt.ItemDataRole.CheckStateRole)


def curves(window) -> list[pg.PlotDataItem]:
    plot = window.findChild(pg.PlotWidget, "runsPlot")
    return [each for each in plot.getPlotItem().items if isinstance(each, pg.PlotDataItem)]


# --- the list ---------------------------------------------------------------------------------


def test_it_says_what_each_run_came_to(window):
    assert texts(table(window), 0) == ["mynet", "resnet18", "resnet18", "resnet18", "resnet18"]
    assert texts(table(window), 1)[:2] == ["scratch", "transfer"]
    assert texts(table(window), 2)[0] == "2026-11-09 14:05"
    assert texts(table(window), 5) == ["2 of 9", "3 of 9", "1 of 9", "2 of 9", "0 of 9"]
    assert texts(table(window), 6) == ["70.0%", "90.0%", "30.0%", "–", "–"]
    assert texts(table(window), 7) == ["0.500", "0.500", "1.000", "–", "–"]
    assert texts(table(window), 8) == ["1:00", "1:30", "0:30", "1:00", "0:00"]
    assert texts(table(window), 9)[2:4] == ["2.5 GB", "2.0 MB"]
    assert texts(table(window), 3)[1:3] == ["flowers", "birds"]
    assert label(window, "runsSum") == "5 runs, 2.5 GB"


def test_a_loss_that_ran_away_stays_short(empty):
    empty.show_runs([replace(RUNS[0], best=replace(RUNS[0].epochs[0], val_loss=85_216.5))])
    assert texts(table(empty), 7) == ["8.5e+04"]


def test_a_loss_that_is_no_number_is_sorted_last(window):
    spoilt = replace(RUNS[2], best=replace(RUNS[2].epochs[0], val_loss=math.nan))
    window.show_runs([RUNS[0], spoilt, RUNS[1]])
    table(window).sortByColumn(7, Qt.SortOrder.AscendingOrder)
    assert texts(table(window), 7) == ["0.500", "0.500", "–"]


def test_a_run_that_somebody_named_is_called_so(empty):
    run = replace(RUNS[0].run, path="/models/my first roses")
    empty.show_runs([replace(RUNS[0], run=run)])
    assert texts(table(empty), 2) == ["my first roses"]


def test_datasets_are_sorted_by_the_names_that_are_shown(empty):
    folders = ("/z/Birds", "/a/trees", "/m/ants")
    empty.show_runs([listed(day, 0.5, photos=photos) for day, photos in enumerate(folders, 1)])
    column = RunColumn.DATASET
    table(empty).sortByColumn(column, Qt.SortOrder.AscendingOrder)
    assert texts(table(empty), column) == ["ants", "Birds", "trees"]


def test_heads_sort(window):
    table(window).sortByColumn(6, Qt.SortOrder.DescendingOrder)
    assert texts(table(window), 6) == ["90.0%", "70.0%", "30.0%", "–", "–"]
    table(window).sortByColumn(9, Qt.SortOrder.AscendingOrder)
    assert texts(table(window), 9)[-1] == "2.5 GB"
    table(window).sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert texts(table(window), 0)[0] == "mynet"


def test_without_runs_it_says_so(empty):
    assert "Looking" in label(empty, "noRuns")
    hint = empty.findChild(RunCurves)._hint
    assert "Tick runs" in hint.text()
    assert hint.isVisible()
    empty.show_runs([])
    assert not table(empty).isVisible()
    assert "No runs yet" in label(empty, "noRuns")
    assert not button(empty, "saveRunsButton").isEnabled()
    empty.show_runs(RUNS)
    assert table(empty).isVisible()


# --- what is compared -------------------------------------------------------------------------


def test_it_begins_at_the_newest(window):
    assert window.focusWidget() is table(window)
    assert window.current == RUNS[0]


def test_the_newest_runs_on_the_same_photos_are_compared_at_first(window):
    assert checked(window) == [0, 1, 3]  # the third is of other photos, the last has no epoch


def test_what_is_ticked_is_drawn_in_a_colour_of_its_own(window):
    tick(window, 0, on=False)
    tick(window, 2)
    assert checked(window) == [1, 3, 2]
    slots = [slot for _, slot in window.runs.checked()]
    assert slots == [1, 2, 0]  # the colour that was free
    model = table(window).model()
    look = theme.current()
    dots = [model.index(row, 0).data(Qt.ItemDataRole.DecorationRole) for row in range(3)]
    middles = [each.pixmap(DOT_PX, DOT_PX).toImage().pixelColor(5, 5) for each in dots]
    assert middles[0].alpha() == 0
    assert middles[1:] == [look.serial(1), look.serial(0)]
    drawn = [each.opts["pen"].color() for each in curves(window)]
    # The run without validation has no strong curve.
    shown = (
        (1, TRAINING_OPACITY),
        (1, 1.0),
        (2, TRAINING_OPACITY),
        (0, TRAINING_OPACITY),
        (0, 1.0),
    )
    assert drawn == [look.serial(slot, share) for slot, share in shown]


def test_what_is_looked_at_lies_on_top(window):
    table(window).set_current(RUNS[0].run.path)
    assert curves(window)[-1].opts["pen"].color() == theme.current().serial(0)
    assert curves(window)[-1].opts["pen"].widthF() > curves(window)[1].opts["pen"].widthF()
    table(window).set_current(RUNS[1].run.path)
    assert curves(window)[-1].opts["pen"].color() == theme.current().serial(1)


def test_what_is_ticked_stays_so_when_the_list_is_new(window):
    tick(window, 1, on=False)
    window.show_runs([listed(10), *RUNS[:3]])
    assert checked(window) == [0]


def test_a_run_that_goes_on_grows(window):
    for row in (1, 3):
        tick(window, row, on=False)
    done = epochs(0.5, 0.7, 0.95)
    window.update_run(replace(RUNS[0], epochs=done, best=done[2]))
    assert texts(table(window), 6)[0] == "95.0%"
    assert [len(each.getData()[0]) for each in curves(window)] == [3, 3]
    new = listed(11, 0.1)
    window.update_run(new)
    assert window.runs.runs[0] == new
    assert new in [each for each, _ in window.runs.checked()]  # who begins it wants to see it
    assert window.current == replace(RUNS[0], epochs=done, best=done[2])


def test_the_first_run_of_all_is_drawn_while_it_goes(empty):
    empty.show_runs([])
    empty.set_state(idle=False, training=RUNS[0].run.path)
    empty.update_run(RUNS[0])
    assert empty.current == RUNS[0]
    assert enabled(empty)
    assert len(curves(empty)) == 2


def test_a_refreshed_list_stays_where_it_was(qtbot, window):
    many = [*RUNS, *(listed(n, 0.5, model="resnet50") for n in range(10, 30))]
    window.show_runs(many)
    table(window).set_current(many[20].run.path)
    bar = table(window).verticalScrollBar()
    bar.setValue(bar.maximum())
    place = bar.value()
    assert place
    window.show_runs([*many[:3], replace(many[3], size=7), *many[4:]])
    assert bar.value() == place
    assert window.current == many[20]
    window.show_runs([each for each in many if each != many[20]])  # it has gone
    assert window.current in (many[19], many[21])
    window.show_runs(list(reversed(many)))
    assert window.runs.runs == many[::-1]


def test_nothing_is_done_to_what_is_not_chosen(window):
    table(window).clearSelection()
    assert enabled(window) == []


def test_space_ticks_the_run_that_is_looked_at(qtbot, window):
    table(window).set_current(RUNS[2].run.path)
    qtbot.keyClick(table(window), Qt.Key.Key_Space)
    assert checked(window) == [0, 1, 3, 2]
    qtbot.keyClick(table(window), Qt.Key.Key_Space)
    assert checked(window) == [0, 1, 3]


def test_it_shows_in_what_they_differ(window):
    tick(window, 3, on=False)
    view = window.findChild(QTableView, "differences")
    count = view.model().rowCount()
    names = [view.model().headerData(row, Qt.Orientation.Vertical) for row in range(count)]
    differ = dict(zip(names, zip(texts(view, 0), texts(view, 1), strict=True), strict=True))
    assert differ["Mode"] == ("Scratch", "Transfer")
    assert differ["Network"] == ("mynet", "resnet18")
    assert differ["Weights"] == ("–", "imagenet")
    assert differ["Learning rate"] == ("0.002", "0.001")
    assert view.model().headerData(0, Qt.Orientation.Horizontal) == "mynet\n11-09 14:05"
    vertical, tip = Qt.Orientation.Vertical, Qt.ItemDataRole.ToolTipRole
    assert SETTING["learning_rate"].help in view.model().headerData(
        names.index("Learning rate"), vertical, tip
    )
    tick(window, 1, on=False)
    assert not view.isVisible()
    assert label(window, "noDifferences") == "Tick two or more runs to see their differences."
    window.show_runs([RUNS[3], RUNS[4]])
    tick(window, 0)
    tick(window, 1)
    assert label(window, "noDifferences") == "They have the same settings."


# --- curves -----------------------------------------------------------------------------------


@pytest.fixture
def plot(qtbot):
    made = RunCurves()
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.show()
    return made


def data(plot) -> list[tuple[list[float], list[float]]]:
    items = plot.plot.getPlotItem().items
    return [
        tuple(np.asarray(each).tolist() for each in item.getData())
        for item in items
        if isinstance(item, pg.PlotDataItem)
    ]


def test_accuracy_or_loss_by_epochs_or_minutes(plot):
    plot.show_curves([RunCurve("a", 0, epochs(0.5, 0.75))])
    assert data(plot) == [([1, 2], [0.4, 0.4]), ([1, 2], [0.5, 0.75])]
    plot.set_x_axis("minutes")
    assert data(plot)[1] == ([0.5, 1.0], [0.5, 0.75])
    plot.show_metric(LOSS)
    assert data(plot) == [([0.5, 1.0], [2.0, 1.0]), ([0.5, 1.0], [1.0, 0.5])]
    low, high = plot.plot.getViewBox().viewRange()[1]
    assert low <= 0.5
    assert high >= 2.0
    plot.show_metric(ACCURACY)
    plot.show_curves([])
    assert data(plot) == []


def test_the_best_epoch_is_ringed(plot):
    plot.show_curves([RunCurve("a", 0, epochs(0.5, 0.75, 0.6), 2), RunCurve("b", 1, epochs(None))])
    items = plot.plot.getPlotItem().items
    (ring,) = [each for each in items if type(each) is pg.ScatterPlotItem]
    assert [each.tolist() for each in ring.getData()] == [[2.0], [0.75]]


def test_a_loss_that_ran_away_does_not_flatten_the_others(plot):
    wild = replace(epochs(0.2)[0], epoch=2, val_loss=1e9)
    plot.show_metric(LOSS)
    plot.show_curves([RunCurve("a", 0, (*epochs(0.5), wild)), RunCurve("b", 1, epochs(0.5, 0.6))])
    assert plot.plot.getViewBox().viewRange()[1][1] < 100


def test_ten_thousand_epochs_are_thinned(plot):
    many = tuple(replace(epochs(0.5)[0], epoch=n) for n in range(1, 10_001))
    plot.show_curves([RunCurve("a", 0, many)])
    assert all(len(x) < 1_000 for x, _ in data(plot))


def test_the_readout_names_what_is_under_the_pointer(plot):
    plot.show_curves([RunCurve("<a>", 0, epochs(0.5, 0.75)), RunCurve("b", 1, epochs(None))])
    first = plot.read_out(1.2).replace("\xa0", " ")
    assert "Epoch 1" in first
    assert "&lt;a&gt;" in first
    assert "50.0%" in first
    assert "–" in first  # b held back nothing
    second = plot.read_out(2.4)
    assert "75.0" in second
    assert "b</td>" not in second  # it has ended before
    assert plot.read_out(3.0) == ""
    plot.set_x_axis("minutes")
    assert "After 0:42" in plot.read_out(0.7)
    assert plot.read_out(0.3) == ""


def test_the_readout_names_ten_runs_at_most(plot):
    plot.show_curves([RunCurve(f"run {n}", n, epochs(0.5)) for n in range(30)])
    assert plot.read_out(1).count("<tr>") == 11
    assert "and 20 more" in plot.read_out(1)


def test_runs_beyond_the_last_colour_are_dashed(plot):
    count = len(theme.current().series)
    plot.show_curves([RunCurve("a", n, epochs(0.5, 0.6)) for n in (0, count)])
    items = plot.plot.getPlotItem().items
    lines = [each for each in items if isinstance(each, pg.PlotDataItem)]
    styles = [each.opts["pen"].style() for each in lines]
    assert styles == [Qt.PenStyle.SolidLine] * 2 + [Qt.PenStyle.DashLine] * 2


def test_the_readout_follows_the_pointer(qtbot, plot):
    plot.show_curves([RunCurve("a", 0, epochs(0.5, 0.75))])
    view = plot.plot.getViewBox()
    scene = view.mapViewToScene(pg.Point(2.0, 0.75))
    plot._hover(scene)
    readout = plot.findChild(QLabel, "runsReadout")
    assert readout.isVisible()
    assert plot.rect().contains(readout.geometry())
    assert plot._crosshair.value() == 2
    plot.show_curves([RunCurve("a", 0, epochs(0.5, 0.75, 0.8))])  # the pointer is still
    assert readout.isVisible()
    plot._hover(plot.plot.mapToScene(QPoint(2, 2)))  # beside the axis
    assert not readout.isVisible()


def test_a_long_name_of_a_folder_leaves_room_for_notes(window):
    width = table(window).columnWidth(3)
    named = replace(RUNS[0].run, recipe=replace(RUNS[0].run.recipe, photos="/" + 200 * "x"))
    window.show_runs([replace(RUNS[0], run=named), *RUNS[1:]])
    assert width < table(window).columnWidth(3) < table(window).columnWidth(4)
    window.resize(975, window.height())  # its buttons just have room on one line
    assert table(window).header().length() == table(window).viewport().width()
    assert width < table(window).columnWidth(3) < 2 * table(window).columnWidth(4)


# --- notes ------------------------------------------------------------------------------------


def noted(listed: RunListed, note: str) -> RunListed:
    return replace(listed, run=replace(listed.run, note=note))


def test_a_note_stands_beside_its_run(window):
    window.update_run(noted(RUNS[1], "more roses"))
    table(window).set_current(RUNS[1].run.path)
    assert texts(table(window), 4)[:2] == ["", "more roses"]
    tip = table(window).currentIndex().data(Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("\nmore roses")


def test_f2_or_a_double_click_asks_for_a_note(qtbot, window):
    table(window).set_current(RUNS[1].run.path)
    with qtbot.waitSignal(window.note_requested) as told:
        qtbot.keyClick(table(window), Qt.Key.Key_F2)
    assert told.args == [RUNS[1].run]
    index = table(window).model().index(1, 4)
    with qtbot.waitSignal(window.note_requested) as told:
        table(window).doubleClicked.emit(index)
    assert told.args == [RUNS[1].run]
    with qtbot.assertNotEmitted(window.note_requested):
        table(window).doubleClicked.emit(index.siblingAtColumn(3))
        table(window).clearSelection()
        qtbot.keyClick(table(window), Qt.Key.Key_F2)


# --- what may be done with a run --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("resumeRunButton", "resume_requested"),
        ("takeSettingsButton", "settings_requested"),
        ("evaluateRunButton", "evaluation_requested"),
        ("predictWithRunButton", "prediction_requested"),
        ("noteButton", "note_requested"),
        ("removeRunButton", "removal_requested"),
    ],
)
def test_buttons_are_for_the_run_that_is_looked_at(qtbot, window, name, signal):
    table(window).set_current(RUNS[1].run.path)
    with qtbot.waitSignal(getattr(window, signal)) as told:
        button(window, name).click()
    assert told.args == [RUNS[1].run]


def test_a_network_is_exported(qtbot, window):
    table(window).set_current(RUNS[1].run.path)
    button(window, "exportRunButton").click()
    dialog = window.findChild(QFileDialog)
    assert dialog.defaultSuffix() == "safetensors"
    dialog.filterSelected.emit(next(each for each in dialog.nameFilters() if "onnx" in each))
    assert dialog.defaultSuffix() == "onnx"
    with qtbot.waitSignal(window.export_requested) as told:
        dialog.fileSelected.emit("/elsewhere/flowers.onnx")
    assert told.args == [RUNS[1].run, "/elsewhere/flowers.onnx", ExportOptions()]
    small = next(each for each in dialog.nameFilters() if each.endswith("half the size (*.pth)"))
    dialog.selectNameFilter(small)
    with qtbot.waitSignal(window.export_requested) as told:
        dialog.fileSelected.emit("/elsewhere/flowers.pth")
    assert told.args[2] == ExportOptions(with_classes=True, float16=True)
    dialog.close()


def enabled(window) -> list[str]:
    names = ("resumeRun", "takeSettings", "evaluateRun", "predictWithRun", "exportRun", "showRun")
    names += ("removeRun",)
    return [name for name in names if button(window, f"{name}Button").isEnabled()]


def test_what_cannot_be_done_is_not_offered(window):
    assert len(enabled(window)) == 7
    table(window).set_current(RUNS[4].run.path)  # no checkpoint
    assert enabled(window) == ["takeSettings", "showRun", "removeRun"]
    table(window).set_current(RUNS[0].run.path)
    window.set_state(idle=False, training=RUNS[0].run.path)
    assert enabled(window) == ["evaluateRun", "predictWithRun", "exportRun", "showRun"]
    table(window).set_current(RUNS[1].run.path)
    assert "removeRun" in enabled(window)
    window.show_runs([])
    assert enabled(window) == []


def test_its_folder_is_shown(window, monkeypatch):
    seen = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: not seen.append(url))
    button(window, "showRunButton").click()
    assert seen == [QUrl.fromLocalFile(RUNS[0].run.path)]
    assert label(window, "runsNote") == ""


def test_without_a_file_manager_it_says_where_the_folder_is(window, monkeypatch):
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    button(window, "showRunButton").click()
    assert label(window, "runsNote") == (
        f"No file manager could be opened. The folder is {RUNS[0].run.path}."
    )


def test_the_runs_are_asked_for_as_a_table(qtbot, window, tmp_path):
    button(window, "saveRunsButton").click()
    dialog = window.findChild(QFileDialog)
    with qtbot.waitSignal(window.table_requested) as asked:
        dialog.fileSelected.emit(str(tmp_path / "runs.csv"))
    assert asked.args == [str(tmp_path / "runs.csv")]
    dialog.close()


def test_it_follows_the_theme(qtbot, window, qapp):
    before = [each.opts["pen"].color() for each in curves(window)]
    theme.apply(qapp, "dark")
    assert [each.opts["pen"].color() for each in curves(window)] != before
