"""The dataset: which folder of images to train on, and what was found in it."""

import os
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from flowergui.desktop.dataset.class_list import ClassList
from flowergui.desktop.dataset.problems_dialog import ProblemsDialog
from flowergui.desktop.dataset.recent_folders import RecentFolders
from flowergui.desktop.dataset.scan_progress import ScanProgressBar
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.file_dialogs import ARCHIVES, choose_file, choose_folder
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.desktop.widgets.search_field import SearchField
from flowergui.desktop.widgets.typed_path import shown_path, typed_path
from flowergui.events import RunStarted, SampleProgress, Scanned, ScanProgress
from flowergui.facts import ClassCount
from flowergui.text import N_, shortened, tr, trn

LEAST_WIDTH = 270
"""Pixels that a long link of this panel may ask for; beyond that it is shortened."""
FEW_IMAGES = 10
"""A class with fewer images is named."""

INVITATION = N_(
    "Choose a folder that has one subfolder of images for each class, or a .tar or .zip archive of "
    "it, or drop it anywhere on this window. No images at hand? Let the program draw some flowers."
)


class DatasetPanel(Card):
    """Asks for a folder of images and shows what a scan found."""

    folder_chosen = Signal(str)
    """The user wants this folder; it need not exist."""
    samples_requested = Signal()
    """The user wants the sample flowers."""
    confidence_requested = Signal()
    """The user wants to know how sure an accuracy is with these images, and whether more would
    help."""
    class_requested = Signal(str)
    """The user wants to see the images of this class."""
    class_folder_requested = Signal(str)
    """The user wants to see this folder in the file manager."""
    cancel_requested = Signal()
    """The user wants to cancel the scan or the drawing."""

    def __init__(self, parent: QWidget | None = None, *, invites: bool = True) -> None:
        """Without `invites`, somebody else asks for the first folder, or offers the samples."""
        super().__init__(tr("1  Dataset"), parent)
        self._invites = invites
        self._scanned: Scanned | None = None
        self._fraction = 0.2
        self._make_folder_row()
        self._make_progress()
        self._make_findings()
        self._show_state()

    # --- for the window -------------------------------------------------------------------

    @property
    def folder(self) -> str:
        """The folder that was scanned last; empty while none is open."""
        return self._scanned.folder if self._scanned else ""

    def show_folder(self, folder: str) -> None:
        """Shows a path that is about to be opened."""
        self._path.setText(shown_path(folder))
        self._path.setCursorPosition(0)
        theme.style(self._path, invalid=False)

    def set_recent(self, folders: list[str]) -> None:
        """Offers the folders that were open before, newest first."""
        self._recent.show_folders(folders)

    def set_validation_fraction(self, fraction: float) -> None:
        """The share of images that validates where the folder has no split of its own."""
        self._fraction = fraction
        self._show_summary()

    def set_running(self, running: bool) -> None:
        """While a run is going on, its dataset can't be changed."""
        for widget in (self._path, self._browse, self._recent, self._sample):
            widget.setEnabled(not running)

    @Slot(object)
    def show_progress(self, event: ScanProgress | SampleProgress) -> None:
        """Shows how far a scan or the drawing of sample flowers is."""
        theme.style(self._path, invalid=False)
        self._progress.show_progress(event)
        self._invitation.hide()
        self._sample.setEnabled(False)

    @Slot(object)
    def show_checking(self, event: ScanProgress) -> None:
        """Shows how far the check of a large folder is, which can be used meanwhile."""
        self._progress.show_progress(event)

    @Slot(object)
    def show_scanned(self, scanned: Scanned) -> None:
        """The folder is open."""
        before, self._scanned = self._scanned, scanned
        self.show_folder(scanned.folder)
        if not (before and same_but_checked(before, scanned)):
            self._search.clear()
            self._list.show_classes(scanned.classes)
        self._show_state()

    def show_run(self, folder: str, started: RunStarted | None) -> None:
        """A resumed run trains on the images in this folder; `started` is None until it has."""
        self.show_folder(folder)
        for widget in (
            self._invitation, self._search, self._list, self._problems, self._sample,
            self._progress, self._confidence,
        ):  # fmt: skip
            widget.hide()
        for label in (self._total, self._split):
            label.setVisible(started is not None)
        if started is not None:
            train, validation = started.train_photos, started.validation_photos
            self._show_counts(len(started.classes), train, validation)
            self._split.setText(
                tr(
                    "{train} for training, {validation} for validation, as the run began",
                    train=f"{train:,}",
                    validation=f"{validation:,}",
                )
            )

    def show_no_run(self) -> None:
        """The run is over: shows the folder that is open, if any."""
        self.show_folder(self.folder)
        self._show_state()

    @Slot()
    def show_failed(self) -> None:
        """The folder in the path line can't be opened (the banner says why)."""
        self._scanned = None
        self._show_state()
        theme.style(self._path, invalid=True)

    @Slot()
    def clear(self) -> None:
        """No folder is open, and none is being scanned."""
        self._scanned = None
        self.show_folder("")
        self._show_state()

    @Slot()
    def show_cancelled(self) -> None:
        """The scan or drawing was cancelled; what was open before still is."""
        if self._scanned:
            self.show_folder(self._scanned.folder)
        self._show_state()

    # --- its parts ------------------------------------------------------------------------

    def _make_folder_row(self) -> None:
        self._path = QLineEdit()
        self._path.setObjectName("datasetPath")
        self._path.setAccessibleName(tr("Folder or archive of images"))
        self._path.setPlaceholderText(tr("Folder or archive of images"))
        self._path.setToolTip(tr("Type or paste a path and press Return."))
        self._path.setMinimumWidth(80)
        self._path.setAcceptDrops(False)  # the window opens what is dropped
        self._path.returnPressed.connect(self._open_typed)
        self._path.textEdited.connect(self._typing)
        self._browse = QPushButton(tr("Browse…"))
        self._browse.setObjectName("browseButton")
        self._browse.setToolTip(
            tr("Choose a folder of images (Ctrl+O). Archives are in the menu File.")
        )
        self._browse.clicked.connect(self.ask)
        self._recent = RecentFolders()
        self._recent.chosen.connect(self._open)
        self._recent.archive_requested.connect(self.ask_for_archive)
        self._recent.samples_requested.connect(self.samples_requested)
        self.head.addWidget(self._recent)
        row = QHBoxLayout()
        row.addWidget(self._path, 1)
        row.addWidget(self._browse)
        self.body.addLayout(row)
        QWidget.setTabOrder(self._path, self._browse)
        QWidget.setTabOrder(self._browse, self._recent)

    def _make_progress(self) -> None:
        self._progress = ScanProgressBar()
        self._progress.cancel_requested.connect(self.cancel_requested)
        self.body.addWidget(self._progress)

    def _make_findings(self) -> None:
        self._invitation = small_label(text=tr(INVITATION))
        self._list = ClassList()
        self._list.images_requested.connect(self.class_requested)
        self._list.folder_requested.connect(self.class_folder_requested)
        self._search = SearchField("classSearch", tr("Search classes"))
        self._search.searched.connect(lambda: self._list.show_found(self._search.finds))
        self._total = small_label("heading")
        self._split = small_label()
        self._problems = quiet_button("", "problemsButton", flush=True)
        self._problems.setToolTip(tr("Shows which files are left out, and why."))
        self._problems.clicked.connect(self._show_problems)
        self._confidence = quiet_button(
            tr("How sure, and would more images help? ▸"), "confidenceButton", flush=True
        )
        self._confidence.shorten_to(LEAST_WIDTH)
        self._confidence.setToolTip(
            tr("Cross-validates a pretrained network on all images, which takes seconds.")
        )
        self._confidence.clicked.connect(self.confidence_requested)
        self._sample = QPushButton(tr("Draw sample flowers"))
        self._sample.setObjectName("sampleButton")
        self._sample.setToolTip(
            tr("Draws a small dataset of flowers of several kinds, so that you can train at once.")
        )
        self._sample.clicked.connect(self.samples_requested)
        self.body.addWidget(self._invitation)
        self.body.addWidget(self._search)
        self.body.addWidget(self._list)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._total)
        words.addWidget(self._split)
        words.addWidget(self._confidence, alignment=Qt.AlignmentFlag.AlignLeft)
        self.body.addLayout(words)
        row = QHBoxLayout()
        row.addWidget(self._problems)
        row.addStretch(1)
        row.addWidget(self._sample, 1_000)
        self.body.addLayout(row)

    # --- what it shows --------------------------------------------------------------------

    def _show_state(self) -> None:
        """Shows everything as it is while no scan is going on."""
        opened = self._scanned is not None
        self._progress.hide()
        self._invitation.setVisible(self._invites and not opened)
        self._sample.setVisible(self._invites)
        self._list.setVisible(opened)
        self._search.show_for(len(self._scanned.classes) if self._scanned else 0)
        self._total.setVisible(opened)
        self._split.setVisible(opened)
        self._confidence.setVisible(opened)
        left_out = sum(each.count for each in self._scanned.problems) if self._scanned else 0
        self._problems.setVisible(left_out > 0)
        self._problems.setText(
            trn("{count} file is left out ▸", "{count} files are left out ▸", left_out)
        )
        self._sample.setEnabled(self._path.isEnabled())
        # All of the width while it is the newcomer's way in, a corner later.
        width = QSizePolicy.Policy.Maximum if opened else QSizePolicy.Policy.Expanding
        self._sample.setSizePolicy(width, QSizePolicy.Policy.Fixed)
        self._sample.setText(tr("Sample flowers") if opened else tr("Draw sample flowers"))
        theme.style(self._sample, role="quiet" if opened else "primary")
        self._show_summary()

    def _show_summary(self) -> None:
        if self._scanned is None:
            return
        train, validation = self._scanned.split_counts(self._fraction)
        counts = {"train": f"{train:,}", "validation": f"{validation:,}"}
        self._show_counts(len(self._scanned.classes), train, validation)
        if any(each.validation for each in self._scanned.classes):
            text = tr(
                "{train} for training, {validation} for validation: the folder's own split",
                **counts,
            )
        else:
            text = tr(
                "{train} for training, {validation} for validation, drawn randomly from each class",
                **counts,
            )
        if not self._scanned.checked:
            text += "\n" + tr(
                "Images that can't be read are left out during training, with a message."
            )
        few = few_images_text(self._scanned.classes)
        self._split.setText("\n".join(filter(None, (text, few, *self._scanned.notes))))

    def _show_counts(self, class_count: int, train: int, validation: int) -> None:
        classes = trn("{count} class", "{count} classes", class_count)
        images = trn("{count} image", "{count} images", train + validation)
        self._total.setText(tr("{classes}, {images}", classes=classes, images=images))

    @Slot()
    def _show_problems(self) -> None:
        if self._scanned:
            ProblemsDialog(self._scanned.problems, self._scanned.leftovers, self).open()

    # --- what the user does ---------------------------------------------------------------

    @Slot()
    def _typing(self) -> None:
        theme.style(self._path, invalid=False)

    @Slot()
    def _open_typed(self) -> None:
        if folder := typed_path(self._path.text()):
            folder = os.path.abspath(folder)
            self._path.setText(folder)
            self.folder_chosen.emit(folder)

    @Slot()
    def ask(self) -> None:
        """Asks the user for a folder, if one may be opened now."""
        if not self._browse.isEnabled():
            return
        choose_folder(self, tr("Choose a folder of images"), self.folder, self._open)

    @Slot()
    def ask_for_archive(self) -> None:
        """Asks the user for an archive of images, if one may be opened now."""
        if self._browse.isEnabled():
            choose_file(self, tr("Choose an archive of images"), ARCHIVES, self._open)

    @Slot(str)
    def _open(self, folder: str) -> None:
        self.show_folder(folder)
        self.folder_chosen.emit(folder)


def few_images_text(classes: Sequence[ClassCount]) -> str:
    """A sentence on the classes with fewer than FEW_IMAGES images; "" if there are none."""
    counts = {each.name: each.train + each.validation for each in classes}
    few = [name for name, count in counts.items() if count < FEW_IMAGES]
    if not few:
        return ""
    if len(few) == 1:
        return trn(
            "{name} has only {count} image; some 30 of each class are a beginning.",
            "{name} has only {count} images; some 30 of each class are a beginning.",
            counts[few[0]],
            name=few[0],
        )
    return tr(
        "{names} have fewer than {least} images; some 30 of each class are a beginning.",
        names=shortened(few, 3),
        least=FEW_IMAGES,
    )


def same_but_checked(before: Scanned, scanned: Scanned) -> bool:
    """Whether the folder was only checked since then, and no class has lost an image by it."""
    return not before.checked and replace(scanned, checked=False, problems=()) == replace(
        before, problems=()
    )
