"""After a run on few images: how sure its accuracy is, without being asked."""

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from flowergui import tasks
from flowergui.desktop.linear_probe.confidence_controller import probed_network
from flowergui.desktop.session import Session, Store, is_idle, open_dataset
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError
from flowergui.events import CrossValidated, Scanned, Warned
from flowergui.text import fine_percent, tr

JOB = "cross-validate a small dataset"

FEW_IMAGES = 30
"""Images a class below which a validation set says little: six of each class, and 30 of five
classes, have a 95% interval of some 20 points."""


class SmallDatasetController(QObject):
    """Cross-validates all images of a small dataset when a run on it has ended, which takes
    seconds."""

    details_requested = Signal()
    """The user wants to know whether more images would help."""

    def __init__(
        self, store: Store, jobs: Jobs, banner: Banner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._jobs, self._banner = store, jobs, banner
        store.changed.connect(self._follow)

    @Slot()
    def run_validated(self) -> None:
        """A run has trained all its epochs, or was stopped after one."""
        session = self._store.session
        dataset = open_dataset(session)
        trained_on = session.moved_photos or session.recipe.photos
        if dataset is None or dataset.folder != trained_on or not is_small(dataset):
            return
        folder, device, (model, weights) = (
            dataset.folder,
            session.recipe.device,
            probed_network(session),
        )
        self._jobs.do(
            JOB,
            lambda: tasks.cross_validate(folder, model, weights, device=device),
            self._on_events,
            self._on_error,
        )

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        """A run needs all cores, and another dataset has other images."""
        if (is_idle(before) and not is_idle(after)) or after.dataset is not before.dataset:
            self._jobs.cancel(JOB)

    @Slot(object)
    def _on_events(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, Warned):  # there are so many classes that not all images fit
                self._jobs.cancel(JOB)
                return
            if isinstance(event, CrossValidated):
                self._banner.offer(
                    tr(
                        "So few images make a validation accuracy unsure. In cross-validation on "
                        "all {count} images, each predicted by a classifier that was not trained "
                        "on it: {accuracy} (95% interval {low} to {high}).",
                        count=f"{event.photos:,}",
                        accuracy=fine_percent(event.accuracy),
                        low=fine_percent(event.low),
                        high=fine_percent(event.high),
                    ),
                    tr("Would more images help?"),
                    self.details_requested.emit,
                )

    @Slot(object)
    def _on_error(self, error: BaseException) -> None:
        """Nobody asked for it, so that what the user can mend (an image is gone) is not said."""
        if not isinstance(error, FlowerError):
            self._jobs.report(error)


def is_small(dataset: Scanned) -> bool:
    """Whether its classes have fewer than FEW_IMAGES images, on average."""
    images = sum(each.train + each.validation for each in dataset.classes)
    return images < FEW_IMAGES * len(dataset.classes)
