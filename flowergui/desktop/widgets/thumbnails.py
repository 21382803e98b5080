"""Thumbnails: images read small, in a thread of their own."""

from collections import OrderedDict, deque
from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage, QPixmap

from flowergui.desktop.threads.worker import Worker
from flowergui.errors import FlowerError
from flowergui.image_preview import read_preview

MAX_WAITING = 80
"""Pictures that may wait to be read: more than a screen shows. Older requests are dropped; they
are made again when their row is painted again."""


class Thumbnails(QObject):
    """A cache of pictures no larger than `edge` pixels, upright by their EXIF orientation.

    `picture` returns at once, with None while the file is not read yet; `ready` is emitted when
    more of them are. The picture requested last is read first: it is what the user sees now. At
    most `keep` pictures are cached.
    """

    ready = Signal()

    def __init__(self, edge: int, keep: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._edge = edge
        self._keep = keep
        self._cache: OrderedDict[str, QPixmap] = OrderedDict()
        self._requested: set[str] = set()
        self._waiting: deque[str] = deque()
        self._worker: Worker | None = None

    def picture(self, path: str) -> QPixmap | None:
        """The picture; a null pixmap if the file can't be read; None if it is not read yet."""
        if path in self._cache:
            self._cache.move_to_end(path)
            return self._cache[path]
        if path not in self._requested:
            self._requested.add(path)
            self._waiting.append(path)
            self._drop_oldest()
            self._read()
        return None

    def forget(self, *paths: str) -> None:
        """Reads these files anew when they are asked for again, or all files if none is named: they
        may have changed."""
        for path in paths:
            self._cache.pop(path, None)
            self._requested.discard(path)
        if paths:
            return
        self._cache.clear()
        self._waiting.clear()
        self._requested.clear()

    def _drop_oldest(self) -> None:
        # The thread takes from the other end, and may take the last one in between.
        while len(self._waiting) > MAX_WAITING:
            try:
                self._requested.discard(self._waiting.popleft())
            except IndexError:
                return

    def _read(self) -> None:
        if self._worker is None and self._waiting:
            wanted, edge = self._waiting, self._edge
            self._worker = Worker(lambda: _pictures(wanted, edge))
            self._worker.produced.connect(self._take)
            self._worker.ended.connect(self._read_more)
            self._worker.start(Worker.Priority.LowPriority)

    @Slot(object)
    def _take(self, read: tuple[tuple[str, QImage], ...]) -> None:
        for path, image in read:
            self._cache[path] = QPixmap.fromImage(image)
            self._requested.discard(path)
        while len(self._cache) > self._keep:
            self._cache.popitem(last=False)
        self.ready.emit()

    @Slot()
    def _read_more(self) -> None:
        self._worker = None
        self._read()


def read_picture(path: str, edge: int) -> QImage:
    """The picture in `path` as training sees it, its longer side at most `edge` pixels; a null
    image where it can't be read. JPEGs are decoded small, which is many times faster.

    Not by QImageReader: it tries its SVG reader, which connects signals, and a thread that does
    so while it holds the interpreter's lock can wait for ever for the window's thread, which
    waits for that lock while it destroys an object.
    """
    try:
        width, height, pixels = read_preview(path, edge)
    except FlowerError:
        return QImage()
    image = QImage(pixels, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.copy()  # of its own memory: that of `pixels` goes


def _pictures(wanted: deque[str], edge: int) -> Iterator[tuple[str, QImage]]:
    while wanted:
        path = wanted.pop()
        yield path, read_picture(path, edge)
