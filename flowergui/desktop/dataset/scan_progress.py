"""How far a scan, or the drawing of sample flowers, is."""

from PySide6.QtWidgets import QWidget

from flowergui.desktop.widgets.cancellable_progress import CancellableProgress
from flowergui.events import SampleProgress, ScanProgress
from flowergui.text import one_line, tr


class ScanProgressBar(CancellableProgress):
    """Counts the images that are checked or drawn."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("cancelScanButton", parent)

    def show_progress(self, event: ScanProgress | SampleProgress) -> None:
        """Shows how many images are checked or drawn, or which one a scan waits for."""
        if isinstance(event, ScanProgress) and event.waits_for:
            self.show_share(tr("Waiting for {path}…", path=one_line(event.waits_for)), 0, 0)
            return
        if isinstance(event, ScanProgress):
            done, total = event.checked, event.found
            counts = {"done": f"{done:,}", "total": f"{total:,}"}
            text = tr("Checking images: {done} of {total}", **counts)
        else:
            done, total = event.drawn, event.total
            counts = {"done": f"{done:,}", "total": f"{total:,}"}
            text = tr("Drawing flowers: {done} of {total}", **counts)
        self.show_share(text if total else tr("Looking for images…"), done, total)
