"""A progress bar with a line of text and a button that cancels."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.text import tr


class CancellableProgress(QWidget):
    """Shows how far a job is. It is visible once it has shown something."""

    cancel_requested = Signal()
    """The user doesn't want to wait for the job any more."""

    def __init__(self, button_name: str, parent: QWidget | None = None) -> None:
        """`button_name` is the object name of the button."""
        super().__init__(parent)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(tr("Progress"))
        theme.style(self._bar, slim=True)
        self._text = small_label()
        theme.tabular(self._text)
        self._cancel = quiet_button(tr("Cancel"), button_name)
        self._cancel.clicked.connect(self.cancel_requested)
        row = QHBoxLayout()
        row.addWidget(self._text, 1)
        row.addWidget(self._cancel)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addWidget(self._bar)
        rows.addLayout(row)

    def show_share(
        self, text: str, done: int, total: int, *, can_be_cancelled: bool = True
    ) -> None:
        """Shows `text`, and `done` of `total` units; a `total` of 0 means that nobody knows it."""
        self._cancel.setVisible(can_be_cancelled)
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._text.setText(text)
        self.show()
