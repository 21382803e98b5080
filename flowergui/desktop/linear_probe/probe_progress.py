"""How far a computation on the dataset is, with a button that cancels it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.events import DownloadProgress, Preparing, ScanProgress
from flowergui.text import tr

Progress = Preparing | ScanProgress | DownloadProgress


class ProbeProgress(QWidget):
    """A bar, what is being done, and Cancel."""

    cancel_requested = Signal()
    """The user wants no more results."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(tr("Progress"))
        theme.style(self._bar, slim=True)
        self._text = small_label()
        theme.tabular(self._text)
        cancel = quiet_button(tr("Cancel"), "cancelProbeButton")
        cancel.clicked.connect(self.cancel_requested)
        row = QHBoxLayout()
        row.addWidget(self._text, 1)
        row.addWidget(cancel)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addWidget(self._bar)
        rows.addLayout(row)

    def begin(self) -> None:
        """Something begins that is not known yet."""
        self._bar.setRange(0, 0)
        self._text.setText(tr("Loading…"))
        self.show()

    def show_progress(self, event: Progress) -> None:
        """So much of it is done."""
        match event:
            case Preparing():
                text, done, total = event.what, event.done, event.total
            case ScanProgress():
                text, done, total = tr("Checking images"), event.checked, event.found
            case DownloadProgress():
                text = tr("Downloading {name}", name=event.name)
                done, total = event.done, event.total
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._text.setText(text)
        self.show()
