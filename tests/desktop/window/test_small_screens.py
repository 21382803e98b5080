"""No window opens larger than the screen, in usual texts or in large ones."""

import pytest
from cut_texts import cut_texts
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QWidget
from windows import (
    about,
    class_choice,
    cluster_job,
    confidence,
    crash_report,
    epochs,
    evaluated,
    guide,
    left_out,
    many_predictions,
    message_log,
    networks,
    numbers_of_runs,
    one_class,
    one_photo,
    runs,
    settings_dialog,
    whole_network,
)

from flowergui.desktop.batch_prediction.photo_views import PhotoGrid
from flowergui.desktop.style import theme
from flowergui.desktop.widgets import windows
from flowergui.desktop.widgets.windows import ScrollingRows

OPENED = (
    *(about, class_choice, cluster_job, crash_report, epochs, guide, left_out, message_log),
    *(numbers_of_runs, one_class, one_photo, settings_dialog, whole_network),
)
"""Windows that are not made larger by what they show later."""
SCREEN = QSize(560, 400)
LARGE_TEXT_PX, LARGE_TEXT_HEIGHT_PX = 972, 620
"""What windows may take of a screen of 1024x768 px."""


@pytest.fixture(autouse=True)
def _usual_size(qapp: QApplication):
    yield
    theme.set_zoom(qapp, 100)


@pytest.mark.parametrize("make", OPENED, ids=lambda each: each.__name__)
def test_no_window_opens_larger_than_the_screen(qtbot, window, script, photos, monkeypatch, make):
    monkeypatch.setattr(windows, "screen_size", lambda: SCREEN)
    shown = make(qtbot, window, script, photos)
    lowest = shown.layout().totalMinimumHeightForWidth(shown.width())  # its texts wrap
    least = shown.minimumSizeHint().expandedTo(QSize(0, lowest))
    room = SCREEN.expandedTo(least)
    assert (shown.width() <= room.width(), shown.height() <= room.height()) == (True, True)


SCROLLING = (runs, evaluated, many_predictions, confidence, settings_dialog)


def resized(qapp: QApplication, window: QWidget, width: int, height: int) -> tuple[int, int]:
    """The size that a window has after it should have another."""
    window.resize(width, height)
    for _ in range(5):  # layouts ask for others
        qapp.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        qapp.sendPostedEvents()
    return window.width(), window.height()


def is_scrolled(window: QWidget, *, sideways: bool = False) -> bool:
    area = window.findChild(ScrollingRows)
    bar = area.horizontalScrollBar() if sideways else area.verticalScrollBar()
    return bar.maximum() > 0


@pytest.mark.parametrize("make", [*SCROLLING, networks], ids=lambda each: each.__name__)
def test_large_texts_have_room(qtbot, qapp, window, script, photos, make):
    theme.set_zoom(qapp, 200)
    shown = make(qtbot, window, script, photos)
    assert resized(qapp, shown, LARGE_TEXT_PX, LARGE_TEXT_HEIGHT_PX) == (
        LARGE_TEXT_PX,
        LARGE_TEXT_HEIGHT_PX,
    )
    assert cut_texts(shown) == []


@pytest.mark.parametrize("make", SCROLLING, ids=lambda each: each.__name__)
def test_windows_scroll_only_where_they_are_too_low(qtbot, qapp, window, script, photos, make):
    shown = make(qtbot, window, script, photos)
    resized(qapp, shown, 1_000, 620)
    assert not is_scrolled(shown)
    resized(qapp, shown, 0, 200)  # as narrow as it may be
    assert is_scrolled(shown)
    assert not is_scrolled(shown, sideways=True)


@pytest.mark.parametrize("zoom", [100, 200])
def test_settings_open_as_high_as_they_need(qtbot, qapp, window, script, photos, monkeypatch, zoom):
    monkeypatch.setattr(windows, "screen_size", lambda: QSize(4_000, 4_000))
    theme.set_zoom(qapp, zoom)
    shown = settings_dialog(qtbot, window, script, photos)
    resized(qapp, shown, shown.width(), shown.height())
    assert not is_scrolled(shown)
    size = shown.findChild(QComboBox, "zoomChoice")
    size.setCurrentIndex(size.findData(150))
    size.activated.emit(size.currentIndex())
    resized(qapp, shown, shown.width(), shown.height())
    assert theme.zoom() == 150
    assert not is_scrolled(shown)


def test_the_wheel_over_a_setting_scrolls(qtbot, qapp, window, script, photos):
    shown = settings_dialog(qtbot, window, script, photos)
    for name in ("languageChoice", "themeChoice", "zoomChoice"):
        box = shown.findChild(QComboBox, name)
        before = box.currentIndex()
        box.setFocus()
        middle = QPointF(box.rect().center())
        turned = QWheelEvent(
            middle, box.mapToGlobal(middle), QPoint(), QPoint(0, -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        qapp.sendEvent(box, turned)
        assert box.currentIndex() == before


def test_tiles_grow_with_their_texts(qtbot, qapp, window, script, photos):
    shown = many_predictions(qtbot, window, script, photos)
    grid = shown.findChild(PhotoGrid)
    usual = grid.sizeHintForIndex(grid.model().index(0, 0)).width()
    theme.set_zoom(qapp, 200)
    assert grid.sizeHintForIndex(grid.model().index(0, 0)).width() > 1.8 * usual
