"""The panels, and where they stand."""

import pytest
from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, QSettings, Qt
from PySide6.QtWidgets import QApplication, QMainWindow, QPushButton, QWidget

from flowergui.desktop.session import Session
from flowergui.desktop.window.columns import LEFT, MIDDLE, RIGHT, Column, Columns
from flowergui.desktop.window.layout import Layout
from flowergui.events import Scanned
from flowergui.facts import ClassCount

FOLDS = ("foldStartFromButton", "foldHyperparametersButton", "foldLayersButton")


class Told(QObject):
    """Counts how often widgets are told that their style may be another one."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.StyleChange
        return False


def test_panels_are_made_where_they_stand(qtbot, qapp: QApplication):
    """Whatever is put into another parent later is told so, with all that it holds, at each
    level: seven times a widget, half the time that it takes to make them."""
    window, told = QMainWindow(), Told()
    qtbot.addWidget(window)
    qapp.installEventFilter(told)
    try:
        panels = Layout(window)
        window.setCentralWidget(panels)
    finally:
        qapp.removeEventFilter(told)
    made = len(panels.findChildren(QWidget))
    assert made < told.count < 3 * made


@pytest.fixture
def window(qtbot):
    made = QMainWindow()
    qtbot.addWidget(made)
    made.setCentralWidget(Layout(made))
    return made


def columns(window) -> Columns:
    found = window.findChild(Columns, "columns")
    assert found is not None
    return found


def in_sight(window, widget: QWidget) -> bool:
    """Whether all of a widget's width lies within its column, and the column within the window."""
    column = next(each for each in ancestors(widget) if isinstance(each, Column))
    left = widget.mapTo(column, QPoint(0, 0)).x()
    inside = left >= 0 and left + widget.width() <= column.viewport().width()
    left = column.mapTo(window, QPoint(0, 0)).x()
    return inside and left >= 0 and left + column.width() <= window.width()


def ancestors(widget: QWidget):
    while (widget := widget.parentWidget()) is not None:
        yield widget


def test_everything_can_be_reached_in_a_small_window(window, qapp):
    """960x600 is what a screen of 1440x900 has at a scale of 1.5."""
    window.resize(960, 600)
    window.show()
    assert (window.width(), window.height()) == (960, 600)
    for name in FOLDS:
        window.findChild(QPushButton, name).click()
    qapp.sendPostedEvents()  # layouts
    for name in ("browseButton", "modeTransfer", "epochs", "startButton", "resumeLastButton"):
        assert in_sight(window, window.findChild(QWidget, name)), name
    for name in ("dropZone", "layerTree", "lossPlot"):
        assert in_sight(window, window.findChild(QWidget, name)), name
    for column in (columns(window).left, columns(window).middle, columns(window).right):
        hidden = column.inner.height() - column.viewport().height()
        assert hidden <= column.verticalScrollBar().maximum()


def test_a_column_gets_what_its_content_needs_later(qtbot, window):
    """No bar to scroll sideways comes when a panel shows more."""
    window.resize(960, 600)
    window.show()
    left = columns(window).left
    wide = QWidget()
    wide.setMinimumWidth(left.viewport().width() + 20)
    left.rows.addWidget(wide)
    qtbot.waitUntil(lambda: left.viewport().width() >= wide.minimumWidth())
    assert left.horizontalScrollBar().maximum() == 0


def test_messages_move_nothing(window, qapp):
    window.resize(1280, 800)
    window.show()
    qapp.sendPostedEvents()  # the first layout, which may need a scroll bar
    browse = window.findChild(QWidget, "browseButton")
    zone = window.findChild(QWidget, "dropZone")
    start = window.findChild(QWidget, "startButton")
    stage, banner = window.centralWidget().run.stage, window.centralWidget().banner
    seen = (browse, zone, start, stage)
    before = [(each.mapTo(window, QPoint(0, 0)), each.size()) for each in seen]
    for text in ("Saved.", "Saved again. " * 30):
        banner.show_note(text)
        qapp.sendPostedEvents()
        assert stage.geometry().contains(banner.geometry())
        assert banner.visibleRegion().boundingRect() == banner.rect()
    assert [(each.mapTo(window, QPoint(0, 0)), each.size()) for each in seen] == before


def test_what_comes_to_matter_later_is_folded_until_then(window):
    window.show()
    panels = window.centralWidget()
    cards = (panels.modes, panels.form, panels.layers)
    assert [each.is_folded for each in cards] == [True, True, True]
    session = Session(dataset=Scanned("/photos", "flat", (ClassCount("rose", 8, 0, ()),), ()))
    panels.modes.show_session(session)
    assert not panels.modes.is_folded
    window.findChild(QPushButton, "foldStartFromButton").click()
    panels.modes.show_session(session)
    assert panels.modes.is_folded  # as the user wants it


@pytest.mark.parametrize(("name", "side"), [("foldLeftButton", LEFT), ("foldRightButton", RIGHT)])
def test_a_column_is_folded_and_opened_again(qtbot, window, name, side):
    window.resize(1280, 800)
    window.show()
    inside = window.findChild(QWidget, "browseButton" if side == LEFT else "dropZone")
    button = window.findChild(QPushButton, name)
    before = columns(window).sizes()
    assert "Fold" in button.accessibleName()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    sizes = columns(window).sizes()
    assert sizes[side] == 0
    assert sizes[MIDDLE] == before[MIDDLE] + before[side]
    assert not inside.isVisible()  # else the Tab key would lead there
    assert "Show" in button.accessibleName()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert columns(window).sizes() == before
    assert inside.isVisible()


def test_a_column_can_be_narrowed_and_scrolls_then(window):
    window.resize(1280, 800)
    window.show()
    columns(window).moveSplitter(170, MIDDLE)
    assert columns(window).sizes()[LEFT] == 170
    assert columns(window).left.horizontalScrollBar().maximum() > 0


def test_scroll_bars_come_without_moving_anything(window, qapp):
    column = columns(window).left
    window.resize(1280, 800)
    window.show()
    qapp.sendPostedEvents()
    width = column.viewport().width()
    assert not column.verticalScrollBar().isEnabled()
    column.inner.setMinimumHeight(2_000)
    qapp.sendPostedEvents()
    assert column.verticalScrollBar().isEnabled()
    assert column.viewport().width() == width


def test_the_columns_are_remembered(qtbot, window, tmp_path):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window.resize(1280, 800)
    window.show()
    layout = window.centralWidget()
    layout.save(settings)
    assert not settings.allKeys()  # nothing was moved
    columns(window).moveSplitter(280, MIDDLE)
    window.findChild(QPushButton, "foldLayersButton").click()
    columns(window).fold(RIGHT, True)
    sizes = columns(window).sizes()
    layout.save(settings)
    settings.sync()
    other = QMainWindow()
    qtbot.addWidget(other)
    other.setCentralWidget(Layout(other))
    other.centralWidget().restore(
        QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    )
    other.resize(1280, 800)
    other.show()
    assert columns(other).sizes() == sizes
    assert not other.findChild(QWidget, "dropZone").isVisible()
    columns(other).fold(RIGHT, False)
    assert other.findChild(QWidget, "layerTree").isVisible()
    assert not other.findChild(QWidget, "epochs").isVisible()


def test_open_sections_are_remembered(qtbot, window, tmp_path):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window.findChild(QPushButton, "sectionImages").click()
    window.centralWidget().save(settings)
    other = QMainWindow()
    qtbot.addWidget(other)
    other.setCentralWidget(Layout(other))
    other.centralWidget().restore(settings)
    opened = {
        name: other.findChild(QPushButton, f"section{name}").isChecked()
        for name in ("Images", "Training")
    }
    assert opened == {"Images": True, "Training": False}


def test_nonsense_in_the_settings_changes_nothing(window, tmp_path):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window.resize(1280, 800)
    window.show()
    before = columns(window).sizes()
    for nonsense in ("wide", QByteArray(b"wide")):
        settings.setValue("columns", nonsense)
        window.centralWidget().restore(settings)
        assert columns(window).sizes() == before


def test_the_folder_has_the_focus_first(qtbot, window):
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    assert window.focusWidget() is window.findChild(QWidget, "datasetPath")


def test_the_columns_have_their_widths_from_the_start(window, qapp: QApplication):
    """Else the window would be painted once with other widths, and jump."""
    window.resize(1280, 800)
    window.show()
    sizes = columns(window).sizes()
    qapp.processEvents()
    assert columns(window).sizes() == sizes
