"""What the user drops, pastes and chooses, sorted by what it is."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal, Slot

from flowergui import tasks
from flowergui.desktop.threads.worker import Worker
from flowergui.desktop.widgets.file_dialogs import CHECKPOINT_SUFFIXES
from flowergui.desktop.widgets.typed_path import local_path, typed_path
from flowergui.events import PathsSorted
from flowergui.image_suffixes import IMAGE_SUFFIXES
from flowergui.store.archives import has_archive_name
from flowergui.text import shortened, tr

MAX_PASTED_LINES = 10_000
"""Lines of a pasted text that may be paths."""
MAX_PATH_LENGTH = 4_096
"""Characters; a longer line is no path."""


class PathSorter(QObject):
    """Looks at paths in a thread, unless their names say enough: a drive may take its time, or not
    answer."""

    images_dropped = Signal(object)
    """Paths of images, as list[str]; Qt's own strings would lose bytes that are no UTF-8."""
    checkpoint_dropped = Signal(object)
    folder_dropped = Signal(object)
    refused = Signal(str)
    """Nothing can be used; a sentence says why."""
    left_out = Signal(str)
    """Something is used, and more can't be beside it; a sentence says what."""

    def __init__(self, parent: QObject | None = None, *, to_predict: bool) -> None:
        """With `to_predict`, a folder of loose images stands for its images."""
        super().__init__(parent)
        self._to_predict = to_predict

    def take(self, mime: QMimeData) -> None:
        """Takes files of this machine, or a text that names some."""
        if paths := local_paths(mime):
            self.sort(paths)
        elif not mime.hasUrls() and (lines := _typed_paths(mime.text())):
            self.sort(lines, typed=True)
        else:
            self.refused.emit(why_not_taken(mime))

    def sort(self, paths: Sequence[str], *, typed: bool = False) -> None:
        """Emits a signal for each kind of these paths. Those that were `typed` need not exist."""
        if not typed and all(map(_says_enough, paths)):
            self._sorted((PathsSorted(tuple(paths), ()),))
            return
        worker = Worker(lambda: tasks.sort_paths(paths, to_predict=self._to_predict, typed=typed))
        worker.produced.connect(self._sorted)
        worker.failed.connect(self._failed)
        worker.start()

    @Slot(object)
    def _sorted(self, events: tuple[PathsSorted, ...]) -> None:
        (found,) = events
        checkpoints = [file for file in found.files if _is_checkpoint(file)]
        images = [file for file in found.files if not _is_checkpoint(file)]
        if not (found.files or found.folders):
            self.refused.emit(_no_path())
        if found.folders:
            self.folder_dropped.emit(found.folders[0])
        if checkpoints:
            self.checkpoint_dropped.emit(checkpoints[0])
        if images:
            self.images_dropped.emit(images)
        if len(found.folders) > 1:
            first, *others = (Path(folder).name for folder in found.folders)
            self.left_out.emit(
                tr(
                    "Only one dataset can be open: it is {first}, without {others}. To train on "
                    "all of them, open the folder that holds them.",
                    first=first,
                    others=shortened(others),
                )
            )
        if len(checkpoints) > 1:
            first, *others = (Path(checkpoint).name for checkpoint in checkpoints)
            self.left_out.emit(
                tr(
                    "Only one checkpoint can predict: it is {first}, not {others}.",
                    first=first,
                    others=shortened(others),
                )
            )

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self.refused.emit(str(error))


def _is_checkpoint(path: str) -> bool:
    return path.lower().endswith(CHECKPOINT_SUFFIXES)


def _says_enough(path: str) -> bool:
    """Whether the name says what the path is: folders are hardly called like that. A .tar may be a
    checkpoint, or an archive of images."""
    known = path.lower().endswith(tuple(IMAGE_SUFFIXES)) or _is_checkpoint(path)
    known = known and not has_archive_name(path)
    return known and "\N{REPLACEMENT CHARACTER}" not in path


def local_paths(mime: QMimeData) -> list[str]:
    """The paths of the files of this machine that are dragged or copied."""
    return [local_path(url) for url in mime.urls() if url.isLocalFile()]


def _typed_paths(text: str) -> list[str]:
    """The lines that may be paths; none if it is a web address."""
    if _is_web_address(text):
        return []
    lines = text.splitlines()[:MAX_PASTED_LINES]
    paths = (typed_path(line) for line in lines if len(line) <= MAX_PATH_LENGTH)
    return [path for path in paths if path and "\0" not in path]


def why_not_taken(mime: QMimeData) -> str:
    """Why nothing of what was dropped or pasted can be used, in a sentence that says what to do."""
    if mime.hasUrls() or _is_web_address(mime.text()):
        return tr(
            "This is only the web address of an image. Save the image to a file and drop the file, "
            "or copy the image itself and paste it."
        )
    if mime.text().strip():
        return _no_path()
    return tr("The clipboard holds no image. Copy an image or an image file first, then paste.")


def _no_path() -> str:
    return tr("This text is not the path of a file. Copy an image or an image file, and paste.")


def _is_web_address(text: str) -> bool:
    return text.strip().lower().startswith(("http://", "https://"))
