"""Opens folders of images: scans them, draws the sample flowers, remembers the recent ones."""

from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal, Slot

from flowergui import tasks
from flowergui.desktop.dataset.class_window import ClassWindow
from flowergui.desktop.dataset.dataset_panel import DatasetPanel
from flowergui.desktop.session import Mode, Session, Store, is_idle, open_dataset
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.transitions import with_dataset
from flowergui.desktop.widgets.banner import Banner, Message
from flowergui.desktop.widgets.file_manager import show_folder
from flowergui.desktop.widgets.typed_path import shown_path
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.errors import FlowerError
from flowergui.events import ClassListed, SampleDrawn, SampleProgress, Scanned, ScanProgress
from flowergui.store import paths
from flowergui.text import tr

SCAN, DRAW, CLASS = "scan", "sample", "images of a class"
"""The names of its jobs."""

MAX_RECENT = 8
"""How many folders are remembered."""


class DatasetController(QObject):
    """Keeps `Session.dataset` at the folder that the user opened."""

    recent_changed = Signal(object)
    """The folders that were open, newest first (list[str]), are others."""

    def __init__(
        self,
        store: Store,
        panel: DatasetPanel,
        jobs: Jobs,
        settings: QSettings,
        banner: Banner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._panel, self._jobs = store, panel, jobs
        self._settings, self._banner = settings, banner
        self._problem: Message | None = None
        self._opening = ""  # the folder that is being scanned, or was last
        self._shown_run = ""  # the folder of the images of the run that the panel shows
        self._reopening = False
        self._remembers = True  # whether the folder that is scanned becomes a recent one
        panel.set_recent(self.recent)
        panel.folder_chosen.connect(self.open)
        panel.samples_requested.connect(self.draw_samples)
        panel.cancel_requested.connect(self._cancel)
        panel.class_requested.connect(self._show_class)
        panel.class_folder_requested.connect(self._show_class_folder)
        store.changed.connect(self._follow)

    @Slot(str)
    def open(self, folder: str, *, remembers: bool = True) -> None:
        """Scans a folder, unless a run goes; until that is done or cancelled, none is open. It is
        the newest of the recent ones then, if it `remembers`."""
        if not is_idle(self._store.session):
            self._banner.refuse(tr("Stop the run first, then open another dataset."))
            return
        self._reopening, self._remembers = False, remembers
        self._dismiss_problem()
        self._banner.take_back()
        self._opening = folder
        self._panel.show_folder(folder)
        self._store.update(scanning=True)
        self._jobs.cancel(DRAW)  # this folder is wanted, not the samples
        self._jobs.do(SCAN, lambda: tasks.inspect(folder), self._on_events, self._on_error)

    def reopen(self) -> None:
        """Opens the folder that was open last; where it has gone, nothing is said."""
        if folders := self.recent:
            self.open(folders[0])
            self._reopening = True

    @property
    def folder(self) -> str:
        """The folder that is open or, while one is scanned, that one; "" for none."""
        session = self._store.session
        if session.scanning:
            return self._opening
        return session.dataset.folder if session.dataset else ""

    @Slot(str)
    def scan_again(self, folder: str) -> None:
        """Images in this folder were moved: if it is open, or about to be, it is scanned again."""
        if folder == self.folder:
            self.open(folder)

    @Slot()
    def draw_samples(self) -> None:
        """Draws the sample flowers, then opens them."""
        self._reopening = False
        self._dismiss_problem()
        folder = paths.sample_folder()
        self._jobs.do(DRAW, lambda: tasks.sample(folder), self._on_events, self._on_error)

    @Slot()
    def _cancel(self) -> None:
        """Scans no folder any more, and draws nothing; what was open still is."""
        self._jobs.cancel(SCAN)
        self._jobs.cancel(DRAW)
        self._store.update(scanning=False)
        self._panel.show_cancelled()

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        dataset = after.dataset
        if dataset is not None and dataset is not before.dataset:
            self._panel.show_scanned(dataset)
            if self._shown_run:
                self._panel.show_run(self._shown_run, after.run_started)
        if is_idle(before) != is_idle(after):
            self._panel.set_running(not is_idle(after))
        checking = dataset is not None and not dataset.checked
        if is_idle(before) and not is_idle(after) and (checking or self._jobs.is_running(DRAW)):
            # A run needs the cores that check the images of a large folder, and keeps its
            # network, which the sample flowers would replace.
            self._cancel()
        self._show_run(before, after)
        if not self._shown_run:
            self._panel.set_validation_fraction(after.recipe.validation_fraction)

    def _show_run(self, before: Session, after: Session) -> None:
        """While a resumed run goes, the panel shows its images, whatever folder is open."""
        if is_idle(after):
            if self._shown_run:
                self._shown_run = ""
                self._panel.show_no_run()
            return
        folder = after.moved_photos or after.recipe.photos
        other = after.dataset is None or after.dataset.folder != folder
        if after.mode is Mode.RESUME and after.resume_from is not None and other:
            new = is_idle(before) or after.run_started is not before.run_started
            if new:
                self._shown_run = folder
                self._panel.show_run(folder, after.run_started)

    @Slot(object)
    def _on_error(self, error: BaseException) -> None:
        """The folder can't be opened, or the flowers not be drawn; what was open still is."""
        self._store.update(scanning=False)
        if self._reopening and isinstance(error, FlowerError):
            self._panel.clear()
            return
        if open_dataset(self._store.session):
            self._panel.show_cancelled()
        else:
            self._panel.show_failed()
        if isinstance(error, FlowerError):
            self._problem = self._banner.show_error(error)
        else:
            self._jobs.report(error)

    @Slot(object)
    def _on_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            match event:
                case ScanProgress() if not self._store.session.scanning:
                    self._panel.show_checking(event)
                case ScanProgress() | SampleProgress():
                    self._panel.show_progress(event)
                case SampleDrawn():
                    self._open_samples(event.folder)
                case Scanned():
                    self._take(event)

    def _open_samples(self, folder: str) -> None:
        if is_idle(self._store.session):
            self.open(folder)

    def _take(self, scanned: Scanned) -> None:
        self._reopening = False
        self._store.update(**with_dataset(self._store.session, scanned))
        if not self._remembers:
            return
        self._remembers = False  # a large folder is told again when all of it is checked
        opened = shown_path(scanned.folder)
        others = [folder for folder in self.recent if folder != opened]
        recent = [opened, *others][:MAX_RECENT]
        self._settings.setValue("recent", recent)
        self._panel.set_recent(recent)
        self.recent_changed.emit(recent)

    @property
    def recent(self) -> list[str]:
        """The folders that were open, newest first."""
        stored = self._settings.value("recent")  # the file may hold anything
        folders = stored if isinstance(stored, list) else [stored]
        return [folder for folder in folders if folder and isinstance(folder, str)]

    @Slot()
    def forget_recent(self) -> None:
        """Forgets which folders were open before."""
        self._settings.remove("recent")
        self._panel.set_recent([])
        self.recent_changed.emit([])

    # --- a class --------------------------------------------------------------------------

    @Slot(str)
    def _show_class(self, name: str) -> None:
        """Shows the images of a class in a window of its own."""
        dataset = self._store.session.dataset
        if dataset is None:
            return
        for other in self._panel.window().findChildren(ClassWindow):
            other.close()
        window, folder = ClassWindow(name, self._panel.window()), dataset.folder

        def listed(events: tuple[Any, ...]) -> None:
            if isinstance(events[-1], ClassListed):
                window.show_paths(events[-1].paths)

        self._jobs.do(
            CLASS,
            lambda: tasks.list_class(folder, name),
            listed,
            lambda error: window.show_problem(str(error)),
        )
        window.finished.connect(self._class_closed)
        bring_to_front(window)

    @Slot()
    def _class_closed(self) -> None:
        self._jobs.cancel(CLASS)

    @Slot(str)
    def _show_class_folder(self, folder: str) -> None:
        if problem := show_folder(folder):
            self._banner.refuse(problem)

    def _dismiss_problem(self) -> None:
        if self._problem is not None:
            self._problem.dismiss()
