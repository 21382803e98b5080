"""How far a scan, or the drawing of sample flowers, is."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.events import SampleProgress, ScanProgress
from flowergui.text import tr


class ScanProgressBar(QWidget):
    """A bar, a sentence and a button to cancel."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(tr("Progress"))
        theme.style(self._bar, slim=True)
        self._text = small_label()
        theme.tabular(self._text)
        cancel = quiet_button(tr("Cancel"), "cancelScanButton")
        cancel.clicked.connect(self.cancel_requested)
        row = QHBoxLayout()
        row.addWidget(self._text, 1)
        row.addWidget(cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._bar)
        column.addLayout(row)

    def show_progress(self, event: ScanProgress | SampleProgress) -> None:
        """Shows how many images are checked or drawn."""
        if isinstance(event, ScanProgress):
            done, total = event.checked, event.found
            counts = {"done": f"{done:,}", "total": f"{total:,}"}
            text = tr("Checking images: {done} of {total}", **counts)
        else:
            done, total = event.drawn, event.total
            counts = {"done": f"{done:,}", "total": f"{total:,}"}
            text = tr("Drawing flowers: {done} of {total}", **counts)
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._text.setText(text if total else tr("Looking for images…"))
        self.show()
