"""How far a computation on the dataset is, with a button that cancels it."""

from PySide6.QtWidgets import QWidget

from flowergui.desktop.widgets.cancellable_progress import CancellableProgress
from flowergui.events import DownloadProgress, Preparing, ScanProgress
from flowergui.text import tr

Progress = Preparing | ScanProgress | DownloadProgress


class ProbeProgress(CancellableProgress):
    """Says which step of a computation is being done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("cancelProbeButton", parent)

    def begin(self) -> None:
        """Shows that a computation begins, of which nothing is known yet."""
        self.show_share(tr("Loading…"), 0, 0)

    def show_progress(self, event: Progress) -> None:
        """Shows the step of this event, and how far it is."""
        match event:
            case Preparing():
                text, done, total = event.what, event.done, event.total
            case ScanProgress() if event.waits_for:
                text, done, total = tr("Waiting for {path}…", path=event.waits_for), 0, 0
            case ScanProgress():
                text, done, total = tr("Checking images"), event.checked, event.found
            case DownloadProgress():
                text = tr("Downloading {name}", name=event.name)
                done, total = event.done, event.total
        self.show_share(text, done, total)
