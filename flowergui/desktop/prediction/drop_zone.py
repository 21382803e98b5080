"""Where photos are dropped, pasted and shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, QSize, Qt, QTemporaryDir, Signal, Slot
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import paint_flower
from flowergui.desktop.widgets.file_dialogs import CHECKPOINTS, IMAGES, choose_files
from flowergui.desktop.widgets.photo_view import PhotoView

INVITATION = "Drop a photo, see what flower it is"
WAYS = "or click to choose one"

_CHECKPOINTS = (".pth", ".pt", ".safetensors")


@dataclass(frozen=True, slots=True)
class Dropped:
    """Paths by what they are. Whatever is neither folder nor checkpoint counts as a picture:
    whoever reads it will say what is wrong with it."""

    images: tuple[str, ...]
    checkpoints: tuple[str, ...]
    folders: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.images or self.checkpoints or self.folders)


def sorted_paths(paths: Sequence[str]) -> Dropped:
    """The paths by what they are."""
    folders = [path for path in paths if Path(path).is_dir()]
    files = [path for path in paths if path not in folders]
    checkpoints = [path for path in files if Path(path).suffix.lower() in _CHECKPOINTS]
    images = [path for path in files if path not in checkpoints]
    return Dropped(tuple(images), tuple(checkpoints), tuple(folders))


def local_paths(mime: QMimeData) -> list[str]:
    """The files of this machine that are dragged or copied."""
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]


WIDTH, LEAST, LIKED = 160, 60, 130
"""Pixels: the least width, and the height that it has at least, and where there is room."""


class DropZone(PhotoView):
    """Takes dropped and pasted pictures, checkpoints and folders, and shows one picture.

    Pictures that are no files (from a browser or a screenshot) become files in a folder that
    is made for the first of them and lives as long as the zone.
    """

    images_dropped = Signal(list)
    """Paths of pictures, as list[str]."""
    checkpoint_dropped = Signal(str)
    folder_dropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dropZone")
        self.setAccessibleName("Drop a photo")
        self.setAccessibleDescription("Return chooses a photo, Ctrl+V pastes one.")
        self.setToolTip("Drop photos here, click to choose, or paste with Ctrl+V.")
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumSize(WIDTH, LEAST)
        self._pasted: QTemporaryDir | None = None
        self._paste_count = 0

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, LIKED)

    @Slot()
    def browse(self) -> None:
        """Asks for pictures, or for a checkpoint."""
        choose_files(self, "Choose photos", [IMAGES, CHECKPOINTS], self._take_paths)

    @Slot()
    def paste(self) -> None:
        """Takes files or a picture from the clipboard; nothing happens where it has neither."""
        self._take(QGuiApplication.clipboard().mimeData())

    # --- taking ---------------------------------------------------------------------------

    def _take(self, mime: QMimeData) -> None:
        paths = local_paths(mime)
        if not paths and mime.hasText() and not mime.hasImage():
            paths = [line for line in mime.text().splitlines() if _is_path(line)]
        if not paths and mime.hasImage():
            image = mime.imageData()
            if isinstance(image, QImage) and not image.isNull():
                self._paste_count += 1
                if self._pasted is None:
                    self._pasted = QTemporaryDir()
                path = self._pasted.filePath(f"pasted {self._paste_count}.png")
                if image.save(path):
                    paths = [path]
        self._take_paths(paths)

    def _take_paths(self, paths: Sequence[str]) -> None:
        dropped = sorted_paths(paths)
        if dropped.folders:
            self.folder_dropped.emit(dropped.folders[0])
        if dropped.checkpoints:
            self.checkpoint_dropped.emit(dropped.checkpoints[0])
        if dropped.images:
            self.images_dropped.emit(list(dropped.images))

    # --- what Qt asks ---------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()) or event.mimeData().hasImage():
            event.acceptProposedAction()
            theme.style(self, hot=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        theme.style(self, hot=False)

    def dropEvent(self, event: QDropEvent) -> None:
        theme.style(self, hot=False)
        event.acceptProposedAction()
        self._take(event.mimeData())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and inside:
            self.browse()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.browse()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.current().color("accent"), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
            painter.end()

    def paint_empty(self, painter: QPainter) -> None:
        look = theme.current()
        line = self.fontMetrics().height()
        room = QRectF(self.rect()).adjusted(12, 0, -12, 0)
        wrap = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        wrap |= int(Qt.TextFlag.TextWordWrap)
        size = 52.0
        text = painter.boundingRect(room, wrap, INVITATION)
        top = room.center().y() - (size + 12 + text.height() + 4 + line) / 2
        flower = QRectF(room.center().x() - size / 2, top, size, size)
        paint_flower(painter, flower, look.color("accent", 0.55), look.color("rate", 0.8))
        text.moveTop(top + size + 12)
        painter.setPen(look.color("text"))
        painter.drawText(
            QRectF(room.left(), text.top(), room.width(), text.height()), wrap, INVITATION
        )
        painter.setPen(look.color("muted"))
        ways = QRectF(room.left(), text.bottom() + 4, room.width(), line)
        painter.drawText(ways, wrap, WAYS)


def _is_path(text: str) -> bool:
    # A long text, or one with a zero in it, is no file name, and asking would raise.
    return 0 < len(text) < 1_000 and "\0" not in text and Path(text).is_file()
