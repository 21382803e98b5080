"""Where photos are dropped, pasted and shown."""

import atexit
from collections.abc import Sequence
from functools import cache
from itertools import count

from PySide6.QtCore import QEvent, QMimeData, QRectF, QSize, Qt, QTemporaryDir, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
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

from flowergui.desktop.accessibility import set_role
from flowergui.desktop.context_menus.drag_out import is_own_drag
from flowergui.desktop.context_menus.photo_menu import PhotoMenu, open_photo
from flowergui.desktop.prediction.path_sorter import PathSorter, local_paths
from flowergui.desktop.style import theme
from flowergui.desktop.threads.worker import Worker
from flowergui.desktop.widgets.file_dialogs import CHECKPOINTS, choose_files, image_filter
from flowergui.desktop.widgets.painting import paint_flower
from flowergui.desktop.widgets.photo_view import PhotoView
from flowergui.text import N_, tr

INVITATION = N_("Drop an image to see its predicted class")
WAYS = N_("or click to choose one")

MIN_WIDTH, MIN_HEIGHT, PREFERRED_HEIGHT = 160, 60, 130
"""Pixels."""

_paste_numbers = count(1)


@cache
def _pasted_folder() -> QTemporaryDir:
    """The folder of images that are no files; it goes when the program ends."""
    folder = QTemporaryDir()
    atexit.register(folder.remove)
    return folder


class DropZone(PhotoView):
    """Takes dropped and pasted images, checkpoints and folders, and shows one image.

    Images that are no files (from a browser or a screenshot) become files in a folder that
    is made for the first of them and lives as long as the program: another window may take over
    what this one shows.
    """

    images_dropped = Signal(object)
    """Paths of images, as list[str]."""
    checkpoint_dropped = Signal(object)
    folder_dropped = Signal(object)
    refused = Signal(str)
    """Nothing of what was dropped or pasted can be used; a sentence says why."""
    left_out = Signal(str)
    """Not all of it can be used; a sentence says what is not."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dropZone")
        set_role(self, QAccessible.Role.Button, "browse")
        self.setAccessibleName(tr("Drop an image"))
        self.setAccessibleDescription(tr("Return chooses an image, Ctrl+V pastes one."))
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumSize(MIN_WIDTH, MIN_HEIGHT)
        self._sorter = sorter = PathSorter(self, to_predict=True)
        sorter.images_dropped.connect(self.images_dropped)
        sorter.checkpoint_dropped.connect(self.checkpoint_dropped)
        sorter.folder_dropped.connect(self.folder_dropped)
        sorter.refused.connect(self.refused)
        sorter.left_out.connect(self.left_out)
        PhotoMenu(self, lambda place: self.path)
        self._inviting, self._is_pressed = True, False

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            self.setToolTip(
                tr("Click to see it in full size. Drop other images here, or paste with Ctrl+V.")
                if self.path
                else tr("Drop images here, click to choose, or paste with Ctrl+V.")
            )
        return super().event(event)

    def sizeHint(self) -> QSize:
        return QSize(MIN_WIDTH, PREFERRED_HEIGHT)

    @property
    def is_inviting(self) -> bool:
        """Whether the empty zone is to catch the eye."""
        return self._inviting

    def invite(self, inviting: bool) -> None:
        """Whether the empty zone is to catch the eye; it takes images all the same."""
        if inviting != self._inviting:
            self._inviting = inviting
            self.update()

    @Slot()
    def browse(self) -> None:
        """Asks for images, or for a checkpoint."""
        choose_files(self, tr("Choose images"), [image_filter(), CHECKPOINTS], self._sorter.sort)

    @Slot()
    def paste(self) -> None:
        """Takes files or an image from the clipboard; `refused` says so where it has neither."""
        mime: QMimeData | None = QGuiApplication.clipboard().mimeData()
        self._take(mime or QMimeData())  # some platforms have none while it is empty

    # --- taking ---------------------------------------------------------------------------

    def _take(self, mime: QMimeData) -> None:
        if mime.hasImage() and not local_paths(mime):
            self._write(mime)
        else:
            self._sorter.take(mime)

    def _write(self, mime: QMimeData) -> None:
        """Makes a file of an image. A large one takes seconds: a thread writes it."""
        image = mime.imageData()
        if not isinstance(image, QImage) or image.isNull():
            self._written([""])
            return
        path = _pasted_folder().filePath(f"pasted {next(_paste_numbers)}.png")
        worker = Worker(lambda: iter([path if image.save(path) else ""]))
        worker.produced.connect(self._written)
        worker.start()

    @Slot(object)
    def _written(self, paths: Sequence[str]) -> None:
        if paths[0]:
            self.images_dropped.emit([paths[0]])
        else:
            self.refused.emit(
                tr("This image can't be written to a temporary file. Save it, and drop the file.")
            )

    # --- what Qt asks ---------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        wanted = event.mimeData().urls() or event.mimeData().hasImage()
        if wanted and not is_own_drag(event, self):
            event.acceptProposedAction()
            theme.style(self, hot=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        theme.style(self, hot=False)

    def dropEvent(self, event: QDropEvent) -> None:
        theme.style(self, hot=False)
        event.acceptProposedAction()
        self._take(event.mimeData())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._is_pressed = True

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Its second release is no click: Qt would press once more."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        was_pressed, self._is_pressed = self._is_pressed, False
        inside = self.rect().contains(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or not (inside and was_pressed):
            return
        if self.path:
            open_photo(self.path, self)
        else:
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
        size = 52.0 if self._inviting else 0.0
        invitation = tr(INVITATION)
        text = painter.boundingRect(room, wrap, invitation)
        top = room.center().y() - (size + 12 + text.height() + 4 + line) / 2
        if self._inviting:
            flower = QRectF(room.center().x() - size / 2, top, size, size)
            paint_flower(painter, flower, look.color("accent", 0.55), look.color("rate", 0.8))
        text.moveTop(top + size + 12)
        painter.setPen(look.color("text" if self._inviting else "muted"))
        painter.drawText(
            QRectF(room.left(), text.top(), room.width(), text.height()), wrap, invitation
        )
        painter.setPen(look.color("muted"))
        ways = QRectF(room.left(), text.bottom() + 4, room.width(), line)
        painter.drawText(ways, wrap, tr(WAYS))
