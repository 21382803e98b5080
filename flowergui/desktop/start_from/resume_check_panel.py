"""What has changed since a run stopped, and what of it the run shall take up."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import small_label
from flowergui.events import (
    Preparing,
    ResumeChecked,
)
from flowergui.facts import (
    Check,
)
from flowergui.requests import ResumeOptions
from flowergui.text import (
    plural,
)

AS_IT_WAS = "All is as it was: photos, classes, network and versions."


class ResumeCheckPanel(QWidget):
    """Shows a ResumeChecked, and asks what to do about it."""

    edited = Signal()
    """The user wants something else to be taken up: see `resumption`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told: ResumeChecked | None = None
        self._renamed: tuple[tuple[str, str], ...] = ()
        heading = QLabel("Since it stopped")
        theme.style(heading, role="heading")
        self._checks = QVBoxLayout()
        self._checks.setSpacing(2)
        self._looking = small_label()
        self._rename = self._tick("renameClasses", "The photos are the same ones, in a folder "
                                  "that is called otherwise now.")  # fmt: skip
        self._photos = self._tick("takeNewPhotos", "A part of them is held back, as of the others. "
                                  "What trains already stays in training.")  # fmt: skip
        self._classes = self._tick("takeNewClasses", "The head grows by them and keeps what it "
                                   "knows. Accuracy is measured anew from here on.")  # fmt: skip
        self._schedule = self._tick("restartSchedule", "The learning rate runs through its whole "
                                    "schedule once more, in the epochs that are left. Otherwise "
                                    "it goes on as if this length had been planned from the "
                                    "start.")  # fmt: skip
        self._schedule.setText("Begin the schedule anew")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(heading)
        column.addLayout(self._checks)
        for tick in self._ticks():
            column.addWidget(tick)
        self.show_check(None)

    def blocked(self) -> str:
        """Why the run can't go on, in a sentence; "" where it can, or where nothing is known."""
        checks = self._told.checks if self._told else ()
        return next((sentence(each) for each in checks if each.verdict == "blocking"), "")

    def resumption(self) -> ResumeOptions:
        """What the user wants to be taken up."""
        return ResumeOptions(
            new_photos=self._photos.isChecked(),
            new_classes=self._classes.isChecked(),
            renamed=self._renamed if self._rename.isChecked() else (),
            restart_schedule=self._schedule.isChecked(),
        )

    def forget(self) -> None:
        """Another run is looked at: nothing is wanted of it yet."""
        for tick in self._ticks():
            tick.blockSignals(True)
            tick.setChecked(False)
            tick.blockSignals(False)
        self.show_check(None)

    def rest(self) -> None:
        """Nothing is looked for any more: it goes where it has found nothing so far."""
        self.setVisible(self._told is not None)

    def show_check(self, told: ResumeChecked | None, *, extended: bool = False) -> None:
        """What was found; None while it is being looked for. A schedule can begin anew where the
        run is `extended`."""
        self._told = told
        while item := self._checks.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        if told is None:
            self._looking = small_label(text="Looking at the photos …")
            self._checks.addWidget(self._looking)
        else:
            changed = [each for each in told.checks if each.verdict != "same"]
            for each in changed:
                done = each.subject == "Epochs"  # that a run is over is no error
                role = "error" if each.verdict == "blocking" and not done else "caption"
                self._checks.addWidget(small_label(role, sentence(each)))
            if not changed:
                self._checks.addWidget(small_label(text=AS_IT_WAS))
            self._offer(told)
        self._schedule.setVisible(extended or self._schedule.isChecked())
        self.setVisible(True)

    def show_progress(self, event: Preparing) -> None:
        """How far the look at the photos is, where it takes long enough to be read."""
        if self._told is None:
            of = f" of {event.total:,}" if event.total else ""
            self._looking.setText(f"{event.what} · {event.done:,}{of}")

    def _offer(self, told: ResumeChecked) -> None:
        if told.renamed:
            self._renamed = told.renamed
            pairs = ", ".join(f"{old} is {new}" for old, new in told.renamed)
            self._rename.setText(f"{pairs} now".replace("&", "&&"))
        self._rename.setVisible(bool(told.renamed) or self._rename.isChecked())
        self._photos.setText(f"Take in {plural(told.new_photos, 'new photo')}")
        self._photos.setVisible(told.new_photos > 0)
        names = ", ".join(told.new_classes)
        self._classes.setText(f"Learn {names} too".replace("&", "&&"))
        self._classes.setVisible(bool(told.new_classes))

    def _ticks(self) -> tuple[QCheckBox, ...]:
        return self._rename, self._photos, self._classes, self._schedule

    def _tick(self, name: str, tip: str) -> QCheckBox:
        tick = QCheckBox()
        tick.setObjectName(name)
        tick.setToolTip(f"<qt>{tip}</qt>")
        tick.setVisible(False)
        tick.toggled.connect(self._edited)
        return tick

    @Slot()
    def _edited(self) -> None:
        self.edited.emit()


def sentence(check: Check) -> str:
    """Photos: 12 new, left out. New ones can be taken in."""
    detail = check.detail.rstrip(".")
    return f"{check.subject}: {detail}. {check.remedy}".strip()
