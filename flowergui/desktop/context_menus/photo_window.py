"""An image in a window of its own, as large as it is."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Slot
from PySide6.QtGui import QAccessible, QImage, QMouseEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.accessibility import radio_group, set_role
from flowergui.desktop.style import theme
from flowergui.desktop.threads.worker import Worker
from flowergui.desktop.widgets.card import Segments
from flowergui.desktop.widgets.labels import small_label
from flowergui.desktop.widgets.thumbnails import read_picture
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.text import tr

MAX_EDGE_PX = 12_000
"""A larger image is shown smaller: it would take half a gigabyte."""


class _PhotoArea(QScrollArea):
    """Of its own class, see `set_role`."""


class PhotoWindow(QDialog):
    """Shows one image, fitted into the window or at 100%; a double click changes between both."""

    def __init__(self, path: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("photoWindow")
        self.setWindowTitle(Path(path).name)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self._image = QPixmap()
        self._label = QLabel(tr("Reading…"))
        self._label.setObjectName("photo")
        self._label.setAccessibleName(Path(path).name)
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._area = _PhotoArea()
        set_role(self._area, QAccessible.Role.Graphic)
        self._area.setAccessibleName(Path(path).name)
        self._area.setWidgetResizable(True)
        self._area.setWidget(self._label)
        self._area.viewport().installEventFilter(self)
        self._fit = QPushButton(tr("&Fit"))
        self._fit.setObjectName("fitPhoto")
        self._whole = QPushButton(tr("&100%"))
        self._whole.setObjectName("wholePhoto")
        for button in (self._fit, self._whole):
            button.setAutoDefault(False)
            button.clicked.connect(self._show)
        radio_group((self._fit, self._whole), self)
        segments = Segments((self._fit, self._whole))
        self._fit.setChecked(True)
        self._size = small_label()
        row = QHBoxLayout()
        row.addWidget(self._size, 1)
        row.addWidget(segments)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[theme.SPACE] * 4)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(self._area, 1)
        rows.addLayout(row)
        line = self.fontMetrics().height()
        resize_within_screen(self, 50 * line, 40 * line)
        self._worker = Worker(lambda: _read(path))
        self._worker.produced.connect(self._take)
        self._worker.start()
        self.destroyed.connect(self._worker.cancel)

    @Slot(object)
    def _take(self, read: Sequence[QImage]) -> None:
        self._image = QPixmap.fromImage(read[-1])
        if self._image.isNull():
            self._label.setText(tr("This image can't be shown."))
            return
        width, height = self._image.width(), self._image.height()
        size = {"width": width, "height": height}
        if max(width, height) < MAX_EDGE_PX:
            self._size.setText(tr("{width} x {height} pixels", **size))
        else:
            self._size.setText(tr("reduced to {width} x {height} pixels", **size))
        self._show()

    @Slot()
    def _show(self) -> None:
        if self._image.isNull():
            return
        ratio = self.devicePixelRatio()
        shown = QPixmap(self._image)
        room = self._area.viewport().size() * ratio
        if self._fit.isChecked() and shown.size().boundedTo(room) != shown.size():
            shown = shown.scaled(
                room,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        shown.setDevicePixelRatio(ratio)
        self._label.setPixmap(shown)
        fits = self._fit.isChecked()
        self._label.setMinimumSize(QSize(1, 1) if fits else shown.deviceIndependentSize().toSize())

    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:  # type: ignore[override]
        if isinstance(event, QResizeEvent) and self._fit.isChecked():
            self._show()
        elif isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonDblClick:
            (self._whole if self._fit.isChecked() else self._fit).click()
        return False


def _read(path: str) -> Iterator[QImage]:
    yield read_picture(path, MAX_EDGE_PX)
