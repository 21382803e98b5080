"""Where photos are dropped, pasted and shown."""

import os
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
from flowergui.desktop.widgets.file_dialogs import CHECKPOINTS, choose_files, image_filter
from flowergui.desktop.widgets.painting import paint_flower
from flowergui.desktop.widgets.photo_view import PhotoView
from flowergui.desktop.widgets.typed_path import typed_path
from flowergui.text import N_, tr

INVITATION = N_("Drop an image to see its predicted class")
WAYS = N_("or click to choose one")

_CHECKPOINTS = (".pth", ".pt", ".safetensors")


@dataclass(frozen=True, slots=True)
class Dropped:
    """Paths by what they are. Whatever is neither folder nor checkpoint counts as an image: who
    reads it will say what is wrong with it."""

    images: tuple[str, ...]
    checkpoints: tuple[str, ...]
    folders: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.images or self.checkpoints or self.folders)


def sorted_paths(paths: Sequence[str]) -> Dropped:
    """Sorts paths by what they are."""
    folders = [path for path in paths if os.path.isdir(path)]
    files = [path for path in paths if path not in folders]
    checkpoints = [path for path in files if Path(path).suffix.lower() in _CHECKPOINTS]
    images = [path for path in files if path not in checkpoints]
    return Dropped(tuple(images), tuple(checkpoints), tuple(folders))


def local_paths(mime: QMimeData) -> list[str]:
    """The paths of the files of this machine that are dragged or copied."""
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]


def why_not_taken(mime: QMimeData) -> str:
    """Why nothing of what was dropped or pasted can be used, in a sentence that says what to do."""
    if mime.hasImage():
        return tr("This image can't be written to a temporary file. Save it, and drop the file.")
    text = mime.text().strip()
    if mime.hasUrls() or text.lower().startswith(("http://", "https://")):
        return tr(
            "This is only the web address of an image. Save the image to a file and drop the file, "
            "or copy the image itself and paste it."
        )
    if text:
        return tr("This text is not the path of a file. Copy an image or an image file, and paste.")
    return tr("The clipboard holds no image. Copy an image or an image file first, then paste.")


MIN_WIDTH, MIN_HEIGHT, PREFERRED_HEIGHT = 160, 60, 130
"""Pixels."""


class DropZone(PhotoView):
    """Takes dropped and pasted images, checkpoints and folders, and shows one image.

    Images that are no files (from a browser or a screenshot) become files in a folder that
    is made for the first of them and lives as long as the zone.
    """

    images_dropped = Signal(list)
    """Paths of images, as list[str]."""
    checkpoint_dropped = Signal(str)
    folder_dropped = Signal(str)
    refused = Signal(str)
    """Nothing of what was dropped or pasted can be used; a sentence says why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dropZone")
        self.setAccessibleName(tr("Drop an image"))
        self.setAccessibleDescription(tr("Return chooses an image, Ctrl+V pastes one."))
        self.setToolTip(tr("Drop images here, click to choose, or paste with Ctrl+V."))
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumSize(MIN_WIDTH, MIN_HEIGHT)
        self._pasted: QTemporaryDir | None = None
        self._paste_count = 0

    def sizeHint(self) -> QSize:
        return QSize(MIN_WIDTH, PREFERRED_HEIGHT)

    @Slot()
    def browse(self) -> None:
        """Asks for images, or for a checkpoint."""
        choose_files(self, tr("Choose images"), [image_filter(), CHECKPOINTS], self._take_paths)

    @Slot()
    def paste(self) -> None:
        """Takes files or an image from the clipboard; `refused` says so where it has neither."""
        mime: QMimeData | None = QGuiApplication.clipboard().mimeData()
        self._take(mime or QMimeData())  # some platforms have none while it is empty

    # --- taking ---------------------------------------------------------------------------

    def _take(self, mime: QMimeData) -> None:
        paths = local_paths(mime)
        if not paths and mime.hasText() and not mime.hasImage():
            lines = (typed_path(line) for line in mime.text().splitlines())
            paths = [line for line in lines if _is_file(line)]
        if not paths and mime.hasImage():
            paths = self._as_file(mime)
        if paths:
            self._take_paths(paths)
        else:
            self.refused.emit(why_not_taken(mime))

    def _as_file(self, mime: QMimeData) -> list[str]:
        """The path of a file that holds the picture; empty where it can't be written."""
        image = mime.imageData()
        if not isinstance(image, QImage) or image.isNull():
            return []
        if self._pasted is None:
            self._pasted = QTemporaryDir()
        self._paste_count += 1
        path = self._pasted.filePath(f"pasted {self._paste_count}.png")
        return [path] if image.save(path) else []

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
        if event.mimeData().urls() or event.mimeData().hasImage():
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
        invitation = tr(INVITATION)
        text = painter.boundingRect(room, wrap, invitation)
        top = room.center().y() - (size + 12 + text.height() + 4 + line) / 2
        flower = QRectF(room.center().x() - size / 2, top, size, size)
        paint_flower(painter, flower, look.color("accent", 0.55), look.color("rate", 0.8))
        text.moveTop(top + size + 12)
        painter.setPen(look.color("text"))
        painter.drawText(
            QRectF(room.left(), text.top(), room.width(), text.height()), wrap, invitation
        )
        painter.setPen(look.color("muted"))
        ways = QRectF(room.left(), text.bottom() + 4, room.width(), line)
        painter.drawText(ways, wrap, tr(WAYS))


def _is_file(text: str) -> bool:
    # A long text, or one with a zero in it, is no file name, and asking would raise.
    return 0 < len(text) < 1_000 and "\0" not in text and os.path.isfile(text)
