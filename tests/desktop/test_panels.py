"""The panels, and where they stand."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from flowergui.desktop.panels import Panels


class Told(QObject):
    """Counts how often widgets are told that their style may be another one."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.StyleChange
        return False


def test_panels_are_made_where_they_stand(qtbot, qapp: QApplication):
    """Whatever is put into another parent later is told so, with all that it holds, at each
    level: eight times a widget, and half the time to the first paint."""
    window, told = QMainWindow(), Told()
    qtbot.addWidget(window)
    qapp.installEventFilter(told)
    try:
        panels = Panels(window)
        window.setCentralWidget(panels)
    finally:
        qapp.removeEventFilter(told)
    assert 0 < told.count < 3 * len(panels.findChildren(QWidget))
