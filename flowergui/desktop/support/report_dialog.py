"""A report of a crash, to read, copy or delete."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.text import tr


class ReportDialog(QDialog):
    """Shows the text of a report; does not block the window."""

    deletion_requested = Signal()
    """The user does not want the report to be kept."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reportDialog")
        self.setWindowTitle(tr("Report"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._text = QPlainTextEdit(text)
        self._text.setObjectName("reportText")
        self._text.setAccessibleName(tr("Report"))
        self._text.setReadOnly(True)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setTabChangesFocus(True)
        copy = QPushButton(tr("&Copy"))
        copy.setObjectName("copyReport")
        copy.setAutoDefault(False)
        copy.clicked.connect(self._copy)
        delete = quiet_button(tr("&Delete"), "deleteReport")
        delete.clicked.connect(self.deletion_requested)
        delete.clicked.connect(self.close)
        close = QPushButton(tr("Close"))
        close.clicked.connect(self.close)
        close.setDefault(True)
        row = QHBoxLayout()
        row.addWidget(delete)
        row.addStretch(1)
        row.addWidget(copy)
        row.addWidget(close)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[2 * theme.SPACE] * 4)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(
            small_label(
                text=tr(
                    "This report is on your computer alone, and is sent nowhere. Copy it into a "
                    "bug report if you want it to be mended."
                )
            )
        )
        rows.addWidget(self._text, 1)
        rows.addLayout(row)
        line = self.fontMetrics().height()
        resize_within_screen(self, 44 * line, 28 * line)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText())
