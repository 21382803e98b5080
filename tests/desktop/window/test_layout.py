"""The panels, and where they stand."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from flowergui.desktop.window.layout import Layout


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


def test_the_window_is_as_wide_as_it_must_be_from_the_start(qtbot, qapp: QApplication):
    """Else it would be painted too narrow first, and jump."""
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(Layout(window))
    window.resize(100, 100)
    window.show()
    width = window.width()
    qapp.processEvents()
    assert window.width() == width > 900
