"""Every window by keyboard alone and by screen reader: names, roles, order, and visible focus."""

import pytest
from accessible import badly_named, not_reached, role, text, without_visible_focus
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAction, QGuiApplication
from PySide6.QtWidgets import QDialog, QLabel, QTableView, QWidget
from scripted import (
    banner,
    button,
    find,
    start,
)
from windows import WINDOWS

from flowergui.desktop.widgets.message_row import MessageRow

DIALOGS = {
    *("AboutDialog", "BatchWindow", "ClassDialog", "ClassWindow", "ConfidenceWindow"),
    *(
        "CurveTable",
        "EpochsWindow",
        "EvaluationWindow",
        "GuideWindow",
        "JobDialog",
        "MessageLogWindow",
    ),
    *("NetworkDialog", "NetworksWindow", "PhotoWindow", "PreferencesDialog", "ProblemsDialog"),
    *("ReportDialog", "RunsWindow"),
}
"""The classes of those that are not Qt's own."""


@pytest.fixture(params=WINDOWS, ids=lambda each: each.__name__)
def opened(request, qtbot, window, script, photos) -> QWidget:
    """Each window of the program, with something in it."""
    window.resize(1440, 900)
    shown = request.param(qtbot, window, script, photos)
    shown.activateWindow()
    qtbot.waitUntil(shown.isActiveWindow)
    return shown


def test_no_window_is_forgotten():
    assert {each.__name__ for each in dialogs_below(QDialog)} == DIALOGS


def dialogs_below(kind: type[QDialog]) -> set[type[QDialog]]:
    """The program's dialogs, without classes that only others are made of."""
    ours = [each for each in kind.__subclasses__() if each.__module__.startswith("flowergui.")]
    return {leaf for each in ours for leaf in dialogs_below(each) or {each}}


def test_every_widget_says_what_it_is(opened):
    assert badly_named(opened) == []


def test_tab_reaches_everything(opened):
    assert not_reached(opened) == []


def test_the_focus_is_seen(opened):
    assert without_visible_focus(opened) == []


def test_a_choice_is_one_of_radio_buttons(window):
    names = ("modeScratch", "presetTutorial", "window200", "windowAll", "freezeNothing")
    for name in names:
        assert role(button(window, name)) == QAccessible.Role.RadioButton, name


def test_what_folds_says_whether_it_is_open(qtbot, window):
    for name in ("foldStartFromButton", "sectionTraining"):
        folding = button(window, name)
        spoken = QAccessible.queryAccessibleInterface(folding)
        assert (spoken.role(), spoken.state().expandable) == (QAccessible.Role.Button, 1), name
        for _ in range(2):
            spoken.actionInterface().doAction("Press")
            opened = folding.isChecked()
            assert (spoken.state().expanded, spoken.state().collapsed) == (opened, not opened)


def test_a_message_is_spoken_where_it_stands(window):
    banner(window).show_error("The disk is full.", hint="Make room.")
    row = find(window, MessageRow, "message")
    assert (role(row), text(row)) == (QAccessible.Role.AlertMessage, "The disk is full. Make room.")
    assert text(find(row, QLabel, "bannerSign")) == "Error"


def test_plots_tell_what_they_show(qtbot, window, script, photos):
    start(qtbot, window, photos)
    pane = find(window, QWidget, "lossPlot").parentWidget()
    assert (role(pane), text(pane)) == (QAccessible.Role.Chart, "Loss")
    for _ in range(6):
        script.gate.release()
    qtbot.waitUntil(lambda: "Step 6 of 8." in text(pane, QAccessible.Text.Description))
    assert text(pane, QAccessible.Text.Description) == (
        "Training 1.000, validation 0.900. Step 6 of 8. The curve is level. "
        "Return shows the epochs as a table. The arrow keys pan, + and - zoom, 0 shows all."
    )
    accuracy = find(window, QWidget, "accuracyPlot")
    assert "Best 75.0% in epoch 1." in text(accuracy, QAccessible.Text.Description)
    assert find(window, QAction, "epochsTableAction").text() == "&Epochs as a table…"
    qtbot.keyClick(pane, Qt.Key.Key_Return)
    table = find(window, QTableView, "epochsTable").model()
    assert [table.index(0, column).data() for column in range(5)] == [
        *("1", "1.000", "0.900", "50.0%", "75.0%")
    ]
    for _ in range(2):
        script.gate.release()
    qtbot.waitUntil(lambda: table.rowCount() == 2)
    button(window, "copyEpochs").click()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied[0].split("\t")[:2] == ["Epoch", "Training loss"]
    assert copied[2].split("\t") == ["2", "1.000", "0.900", "50.0%", "75.0%"]
