"""Which folder of photos is open, and how it comes to be: scanned, drawn, remembered."""

from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal, Slot

from flowergui import tasks
from flowergui.desktop.dataset.dataset_panel import DatasetPanel
from flowergui.desktop.session import Store, open_dataset
from flowergui.desktop.threads.jobs import Jobs
from flowergui.events import CacheState, SampleDrawn, SampleProgress, Scanned, ScanProgress
from flowergui.store import paths
from flowergui.wording import photo_cache_text

SCAN, DRAW, CLEAR = "scan", "sample", "clear cache"
"""The names of its jobs."""

RECENT = 8
"""How many folders are remembered."""


class DatasetController(QObject):
    """Keeps the panel at the folder that is open, or at the one being looked at."""

    opened = Signal(object)
    """A folder was scanned: `Scanned`."""
    samples_drawn = Signal()
    """The sample flowers are there; they are being opened."""
    message = Signal(str)
    """Something was done that can't be seen: in a sentence."""

    def __init__(
        self,
        store: Store,
        panel: DatasetPanel,
        jobs: Jobs,
        settings: QSettings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._panel, self._jobs, self._settings = store, panel, jobs, settings
        self._panel.set_recent(self._recent())

    @property
    def scanned(self) -> Scanned | None:
        """What the scan of the open folder found; None while another is being looked at."""
        return open_dataset(self._store.session)

    @property
    def looking(self) -> bool:
        """Whether a folder is being looked at."""
        return self._store.session.scanning

    @property
    def folder(self) -> str:
        """The folder that is open; "" while none is."""
        return self.scanned.folder if self.scanned else ""

    @property
    def class_count(self) -> int:
        """The classes of the folder that is open; 0 while none is."""
        return len(self.scanned.classes) if self.scanned else 0

    @Slot(str)
    def open(self, folder: str) -> None:
        """Looks at a folder; until that is done or cancelled, none is open."""
        self._store.update(scanning=True)
        self._panel.show_folder(folder)
        self._jobs.do(SCAN, lambda: tasks.inspect(folder), self._told, self._failed)

    @Slot()
    def draw(self) -> None:
        """Draws the sample flowers, then opens them."""
        folder = paths.sample_folder()
        self._jobs.do(DRAW, lambda: tasks.sample(folder), self._told, self._failed)

    @Slot()
    def cancel(self) -> None:
        """Looks at no folder any more, and draws nothing; what was open still is."""
        self._jobs.cancel(SCAN)
        self._jobs.cancel(DRAW)
        self._store.update(scanning=False)
        self._panel.show_cancelled()

    @Slot()
    def clear_cache(self) -> None:
        """Removes the decoded photos that are kept from run to run."""
        self._jobs.do(CLEAR, lambda: tasks.cached_photos(clear=True), self._told)

    def leave_be(self) -> None:
        """Checks no more of the photos of a large folder that is open: a run needs the cores."""
        dataset = self.scanned
        if dataset and not dataset.checked:
            self.cancel()

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        """The folder can't be opened, or the flowers not be drawn; what was open still is."""
        self._store.update(scanning=False)
        if self.scanned:
            self._panel.show_cancelled()
        else:
            self._panel.show_failed()
        self._jobs.report(error)

    @Slot(object)
    def _told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            match event:
                case ScanProgress() if not self.looking:
                    self._panel.show_checking(event)
                case ScanProgress() | SampleProgress():
                    self._panel.show_progress(event)
                case SampleDrawn():
                    self.samples_drawn.emit()
                    self.open(event.folder)
                case Scanned():
                    self._take(event)
                case CacheState():
                    self.message.emit(photo_cache_text(event))

    def _take(self, scanned: Scanned) -> None:
        self._store.update(dataset=scanned, scanning=False)
        self._panel.show_scanned(scanned)
        recent = [scanned.folder, *(f for f in self._recent() if f != scanned.folder)][:RECENT]
        self._settings.setValue("recent", recent)
        self._panel.set_recent(recent)
        self.opened.emit(scanned)

    def _recent(self) -> list[str]:
        stored = self._settings.value("recent") or []
        return [stored] if isinstance(stored, str) else [str(folder) for folder in stored]
