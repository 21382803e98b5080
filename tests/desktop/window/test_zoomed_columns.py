"""No column scrolls sideways, however large the texts are."""

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from scripted import banner, button, choose_mode, facts, find, list_runs, open_photos, plot, start

from flowergui.desktop.settings.setting_row import Section
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import FoldingCard
from flowergui.desktop.window.columns import Columns

WIDTHS = (1100, 1280, 1440)
ZOOMS = (100, 125, 150)


@pytest.fixture(autouse=True)
def _usual_size(qapp: QApplication):
    yield
    theme.set_zoom(qapp, 100)


def scrolled_sideways(qapp: QApplication, window) -> list[str]:
    """The columns in which something is out of sight, at each width and zoom of the interface."""
    columns, found = window.findChild(Columns, "columns"), []
    for zoom in ZOOMS:
        theme.set_zoom(qapp, zoom)
        for width in WIDTHS:
            window.resize(width, 760)
            for _ in range(5):  # layouts ask for others
                qapp.sendPostedEvents(None, QEvent.Type.LayoutRequest)
                qapp.sendPostedEvents()
            for name in ("left", "middle", "right"):
                bar = getattr(columns, name).horizontalScrollBar()
                if bar.maximum() > 0:
                    place = f"{name} at {width} px, {zoom}%: {bar.maximum()} px"
                    found.append(f"{place}, {widest(getattr(columns, name).inner)}")
    return found


def widest(inner: QWidget) -> str:
    """The widget that asks for most, with the names of those that it is in."""
    names, at = [], inner
    while True:
        children = [each for each in at.children() if isinstance(each, QWidget)]
        children = [each for each in children if each.isVisible() and not each.isWindow()]
        if not children:
            return " > ".join(names)
        at = max(children, key=lambda each: (each.minimumSizeHint().width(), each.minimumWidth()))
        wide = max(at.minimumSizeHint().width(), at.minimumWidth())
        names.append(f"{type(at).__name__} {at.objectName()} {wide}")


def open_all(window) -> None:
    for card in window.findChildren(FoldingCard):
        card.fold(False)
    for section in window.findChildren(Section):
        section.open()


def first_look(qtbot, window, script, photos) -> None:
    pass


def ready(qtbot, window, script, photos) -> None:
    open_photos(qtbot, window, photos)
    open_all(window)


def running(qtbot, window, script, photos) -> None:
    start(qtbot, window, photos)
    for _ in range(6):
        script.gate.release()
    qtbot.waitUntil(lambda: plot(window).marks != ())
    banner(window).show_error("The disk is full.", hint="Make room.")
    find(window, QWidget, "dropZone").images_dropped.emit([f"{photos}/1.png", f"{photos}/2.png"])
    qtbot.waitUntil(lambda: button(window, "whyButton").isEnabled())
    button(window, "whyButton").click()
    open_all(window)


def resuming(qtbot, window, script, photos) -> None:
    script.runs = [facts(script.run)]
    (script.run / "last.pth").touch()
    list_runs(qtbot, window)
    choose_mode(window, "resume")
    qtbot.waitUntil(lambda: bool(script.of("preflight")))
    open_all(window)


@pytest.mark.parametrize("state", [first_look, ready, running, resuming])
def test_no_column_scrolls_sideways(qtbot, qapp, window, script, photos, state):
    state(qtbot, window, script, photos)
    assert scrolled_sideways(qapp, window) == []


def test_no_column_scrolls_sideways_in_chinese(qtbot, qapp, chinese, window, script, photos):
    running(qtbot, window, script, photos)
    assert scrolled_sideways(qapp, window) == []


def test_the_head_keeps_its_lines_in_larger_texts(qapp, window, qtbot, script, photos):
    """What trains, and how, was cut by the line that holds it."""
    running(qtbot, window, script, photos)
    what = find(window, QWidget, "runWhat")
    for zoom in (100, 150, 100):
        theme.set_zoom(qapp, zoom)
        window.resize(1280, 800)
        qtbot.waitUntil(lambda: what.height() >= what.fontMetrics().height())
        assert what.mapTo(what.parentWidget(), what.rect().bottomLeft()).y() < (
            what.parentWidget().height()
        )


def test_a_widget_that_is_too_wide_is_found(qapp, window):
    """The test above can fail."""
    columns = window.findChild(Columns, "columns")
    wide = QWidget()
    wide.setMinimumWidth(2000)
    columns.right.rows.addWidget(wide)
    assert scrolled_sideways(qapp, window)
