"""What has changed since a run stopped, and what of it the run takes up."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from flowergui.desktop.session import Session, check_text, is_extended, is_idle
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import ElidedCheckBox, small_label
from flowergui.events import Preparing, ResumeChecked
from flowergui.facts import Check, CheckKind, Verdict
from flowergui.requests import UNCHANGED, ResumeOptions
from flowergui.text import sentences, shortened, tr, trn

NAMES_IN_BOX, NAMES_IN_TOOLTIP = 3, 40
"""Classes that a check box names, and that its tooltip does, before it says how many more there
are."""


class ResumeCheckPanel(QWidget):
    """Shows the resume check of a session, and asks what to do about it."""

    options_requested = Signal(object)
    """The user wants these ResumeOptions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = UNCHANGED
        self._check: ResumeChecked | None = None
        self._renamed: tuple[tuple[str, str], ...] = ()
        heading = QLabel(tr("Since it stopped"))
        theme.style(heading, role="heading")
        self._checks = QVBoxLayout()
        self._checks.setSpacing(2)
        self._progress = small_label(text=tr("Scanning the images…"))
        self._rename = self._make_box(
            "renameClasses", tr("The images are the same, in a folder with another name.")
        )
        self._images = self._make_box(
            "takeNewPhotos",
            tr("Some of them become validation images. Training images stay training images."),
        )
        self._classes = self._make_box(
            "takeNewClasses",
            tr(
                "Adds outputs to the classifier; existing classes keep their weights. The best "
                "accuracy is measured from here on."
            ),
        )
        self._schedule = self._make_box(
            "restartSchedule",
            tr(
                "The learning rate goes through its whole schedule once more, in the epochs that "
                "are left. Otherwise it continues as if this length had been planned from the "
                "start."
            ),
        )
        self._schedule.setText(tr("Restart the learning-rate schedule"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(heading)
        column.addWidget(self._progress)
        column.addLayout(self._checks)
        for box in self._boxes():
            column.addWidget(box)

    def show_session(self, session: Session) -> None:
        """Shows what the check found; while there is no result, only if one is awaited."""
        self.setVisible(
            session.resume_from is not None
            and (is_idle(session) or session.resume_check is not None)
        )
        if session.resume_check is not self._check or session.resume_check is None:
            self._check = session.resume_check
            self._show_checks()
        self._options = session.resume_options
        self._show_options(extended=is_extended(session))

    def show_progress(self, event: Preparing) -> None:
        """How far the check is, where it takes long enough to be read."""
        values = {"what": event.what, "done": f"{event.done:,}", "total": f"{event.total:,}"}
        if event.total:
            self._progress.setText(tr("{what} · {done} of {total}", **values))
        else:
            self._progress.setText(tr("{what} · {done}", **values))

    def _show_checks(self) -> None:
        while item := self._checks.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        self._progress.setVisible(self._check is None)
        if self._check is None:
            self._progress.setText(tr("Scanning the images…"))
            return
        changed = [each for each in self._check.checks if each.verdict is not Verdict.SAME]
        for each in changed:
            self._checks.addWidget(small_label(_role(each), check_text(each)))
        if not self._check.in_place:
            self._checks.addWidget(
                small_label(
                    text=tr(
                        "This checkpoint is older than the newest one of its run: resuming "
                        "continues in a new run folder."
                    )
                )
            )
        elif not changed:
            self._checks.addWidget(
                small_label(text=tr("Images, classes, network and versions are unchanged."))
            )

    def _show_options(self, *, extended: bool) -> None:
        check, options = self._check, self._options
        self._renamed = (check.renamed if check else ()) or options.renamed
        new_images = check.new_photos if check else 0
        new_classes = check.new_classes if check else ()
        pairs = [tr("{old} is now {new}", old=old, new=new) for old, new in self._renamed]
        images = trn("Include {count} new image", "Include {count} new images", new_images)
        classes = tr("Learn {classes} too", classes=shortened(new_classes, NAMES_IN_BOX))
        _show_names(self._rename, shortened(pairs, NAMES_IN_BOX), pairs)
        _show_names(self._images, images)
        _show_names(self._classes, classes, new_classes)
        for box, shown, checked in (
            (self._rename, bool(self._renamed), bool(options.renamed)),
            (self._images, new_images > 0, options.new_photos),
            (self._classes, bool(new_classes), options.new_classes),
            (self._schedule, check is not None and (extended or options.restart_schedule),
             options.restart_schedule),
        ):  # fmt: skip
            box.setVisible(shown)
            box.blockSignals(True)
            box.setChecked(checked)
            box.blockSignals(False)

    def _boxes(self) -> tuple[QCheckBox, ...]:
        return self._rename, self._images, self._classes, self._schedule

    def _make_box(self, name: str, tip: str) -> QCheckBox:
        box = ElidedCheckBox()
        box.setObjectName(name)
        box.setProperty("tip", tip)
        _show_names(box, "")
        box.setVisible(False)
        box.toggled.connect(self._edited)
        return box

    @Slot()
    def _edited(self) -> None:
        self.options_requested.emit(
            ResumeOptions(
                new_photos=self._images.isChecked(),
                new_classes=self._classes.isChecked(),
                renamed=self._renamed if self._rename.isChecked() else (),
                restart_schedule=self._schedule.isChecked(),
            )
        )


def _show_names(box: QCheckBox, text: str, names: Sequence[str] = ()) -> None:
    """Gives a check box its text. Its tooltip and its description have more of the `names`, before
    what the box does."""
    box.setText(text.replace("&", "&&"))
    tip, more = str(box.property("tip")), shortened(names, NAMES_IN_TOOLTIP)
    box.setAccessibleDescription(sentences(tr("{title}.", title=more), tip) if names else tip)
    box.setToolTip(f"<qt>{escape(more)}<br>{tip}</qt>" if names else f"<qt>{tip}</qt>")


def _role(check: Check) -> str:
    """Which kind of label a check has. That a run has done all its epochs is no error."""
    blocking = check.verdict is Verdict.BLOCKING and check.kind is not CheckKind.EPOCHS
    return "error" if blocking else "caption"
