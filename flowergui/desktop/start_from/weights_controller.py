"""Pretrained weights as files, for use without the internet."""

from typing import Any

from PySide6.QtCore import QObject, Slot

from flowergui import tasks
from flowergui.desktop.start_from.mode_selector import ModeSelector
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.banner import Banner
from flowergui.events import DownloadProgress, WeightsSaved
from flowergui.store import library

JOB = "weights"


class WeightsController(QObject):
    """Saves the weights that are chosen, and offers those that were saved."""

    def __init__(
        self, modes: ModeSelector, banner: Banner, jobs: Jobs, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._modes, self._banner, self._jobs = modes, banner, jobs

    @Slot()
    def refresh(self) -> None:
        """Offers the files that there are for the chosen network."""
        self._modes.set_saved_weights(library.saved_weights(self._modes.model))

    @Slot()
    def save(self) -> None:
        """Downloads the chosen weights, unless they are here already, and keeps them."""
        model, weights = self._modes.model, self._modes.weights
        self._modes.show_saving_weights(DownloadProgress(model, 0, 0))
        self._jobs.do(JOB, lambda: tasks.save_weights(model, weights), self._told, self._failed)

    @Slot()
    def cancel(self) -> None:
        """Keeps nothing of a download that goes."""
        self._jobs.cancel(JOB)
        self.ended()

    def ended(self) -> None:
        """Nothing is waited for any more."""
        self._modes.show_saving_weights(None)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self.ended()
        self._jobs.report(error)

    @Slot(object)
    def _told(self, events: tuple[Any, ...]) -> None:
        for event in events:
            match event:
                case DownloadProgress():
                    self._modes.show_saving_weights(event)
                case WeightsSaved():
                    self.ended()
                    self.refresh()
                    self._banner.show_success(
                        f"The weights are in {event.path}; a transfer can start from there "
                        "without the internet."
                    )
