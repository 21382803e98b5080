"""The dataset: which folder of images to train on, and what was found in it."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.dataset.class_list import ClassList
from flowergui.desktop.dataset.problems_dialog import ProblemsDialog
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.file_dialogs import choose_folder
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.desktop.widgets.typed_path import typed_path
from flowergui.events import (
    SampleProgress,
    Scanned,
    ScanProgress,
)
from flowergui.text import N_, tr, trn

INVITATION = N_(
    "Choose a folder that has one subfolder of images for each class, or drop it anywhere on this "
    "window. No images at hand? Let the program draw some flowers."
)

RECENT_WIDTH_CHARACTERS = 60
"""Width of a folder in the menu of those that were open; the tooltip has all of it."""


class DatasetPanel(Card):
    """Asks for a folder of images and shows what a scan found."""

    folder_chosen = Signal(str)
    """The user wants this folder; it need not exist."""
    samples_requested = Signal()
    """The user wants the sample flowers."""
    clear_cache_requested = Signal()
    """The user wants to delete the decoded images that are kept on the disk."""
    cancel_requested = Signal()
    """The user wants to cancel the scan or the drawing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("1  Dataset"), parent)
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
        self._path.setText(folder)
        self._path.setCursorPosition(0)
        theme.style(self._path, invalid=False)

    def set_recent(self, folders: list[str]) -> None:
        """The folders that were open before, newest first."""
        self._recent_menu.clear()
        for folder in folders:
            path = Path(folder)
            text = f"{path.name}  ({path.parent})"
            metrics = self._recent_menu.fontMetrics()
            width = RECENT_WIDTH_CHARACTERS * metrics.averageCharWidth()
            text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, width)
            action = self._recent_menu.addAction(text.replace("&", "&&"))
            action.setToolTip(folder)
            action.setData(folder)
        self._recent_menu.addSeparator()
        self._recent_menu.addAction(self._clear_cache)
        self._recent.setVisible(bool(folders))

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
        """How far a scan or the drawing of sample flowers is."""
        theme.style(self._path, invalid=False)
        if isinstance(event, ScanProgress):
            text = (
                tr("Checking images: {done} of {total}", **_progress(event.checked, event.found))
                if event.found
                else tr("Looking for images…")
            )
            self._show_bar(text, event.checked, event.found)
        else:
            text = tr("Drawing flowers: {done} of {total}", **_progress(event.drawn, event.total))
            self._show_bar(text, event.drawn, event.total)
        self._invitation.hide()
        self._sample.setEnabled(False)

    @Slot(object)
    def show_checking(self, event: ScanProgress) -> None:
        """How far the check of a large folder is, which can be used meanwhile."""
        text = tr("Checking images: {done} of {total}", **_progress(event.checked, event.found))
        self._show_bar(text, event.checked, event.found)

    @Slot(object)
    def show_scanned(self, scanned: Scanned) -> None:
        """The folder is open."""
        before, self._scanned = self._scanned, scanned
        self.show_folder(scanned.folder)
        if not (before and same_but_checked(before, scanned)):
            self._list.show_classes(scanned.classes)
        self._show_state()

    @Slot()
    def show_failed(self) -> None:
        """The folder in the path line can't be opened (the banner says why)."""
        self._scanned = None
        self._show_state()
        theme.style(self._path, invalid=True)

    @Slot()
    def clear(self) -> None:
        """No folder is open, and nothing is being looked at."""
        self._scanned = None
        self.show_folder("")
        self._show_state()

    @Slot()
    def show_cancelled(self) -> None:
        """Nothing is being looked at any more; what was open before still is."""
        if self._scanned:
            self.show_folder(self._scanned.folder)
        self._show_state()

    # --- its parts ------------------------------------------------------------------------

    def _make_folder_row(self) -> None:
        self._path = QLineEdit()
        self._path.setObjectName("datasetPath")
        self._path.setAccessibleName(tr("Folder of images"))
        self._path.setPlaceholderText(tr("Folder of images"))
        self._path.setToolTip(tr("Type or paste a path and press Return."))
        self._path.setMinimumWidth(80)
        self._path.returnPressed.connect(self._open_typed)
        self._path.textEdited.connect(self._typing)
        self._browse = QPushButton(tr("Browse…"))
        self._browse.setObjectName("browseButton")
        self._browse.setToolTip(tr("Choose a folder of images (Ctrl+O)."))
        self._browse.clicked.connect(self.ask)
        self._recent = quiet_button(tr("Recent"), "recentButton")
        self._recent.setToolTip(tr("Folders that were open before"))
        self._recent_menu = QMenu(self._recent)
        self._recent_menu.setToolTipsVisible(True)
        self._clear_cache = QAction(tr("Clear the image cache"), self)
        self._clear_cache.setToolTip(
            tr("Deletes the decoded images that are kept to start faster. Your own files stay.")
        )
        self._clear_cache.setObjectName("clearCacheAction")
        self._recent_menu.triggered.connect(self._open_recent)
        self._recent.setMenu(self._recent_menu)
        self._recent.setStyleSheet("QPushButton { padding-right: 20px; }")  # room for the arrow
        self._recent.hide()
        self.head.addWidget(self._recent)
        row = QHBoxLayout()
        row.addWidget(self._path, 1)
        row.addWidget(self._browse)
        self.body.addLayout(row)
        QWidget.setTabOrder(self._path, self._browse)
        QWidget.setTabOrder(self._browse, self._recent)

    def _make_progress(self) -> None:
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(tr("Progress"))
        theme.style(self._bar, slim=True)
        self._doing = small_label()
        theme.tabular(self._doing)
        self._cancel = quiet_button(tr("Cancel"), "cancelScanButton")
        self._cancel.clicked.connect(self.cancel_requested)
        self._progress = QWidget()
        inner = QVBoxLayout(self._progress)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addWidget(self._bar)
        row = QHBoxLayout()
        row.addWidget(self._doing, 1)
        row.addWidget(self._cancel)
        inner.addLayout(row)
        self.body.addWidget(self._progress)

    def _make_findings(self) -> None:
        self._invitation = small_label(text=tr(INVITATION))
        self._list = ClassList()
        self._total = small_label("heading")
        self._split = small_label()
        self._problems = quiet_button("", "problemsButton", flush=True)
        self._problems.setToolTip(tr("Shows which files are left out, and why."))
        self._problems.clicked.connect(self._show_problems)
        self._sample = QPushButton(tr("Draw sample flowers"))
        self._sample.setObjectName("sampleButton")
        self._sample.setToolTip(
            tr("Draws a small dataset of flowers of several kinds, so that you can train at once.")
        )
        self._sample.clicked.connect(self.samples_requested)
        self.body.addWidget(self._invitation)
        self.body.addWidget(self._list)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._total)
        words.addWidget(self._split)
        self.body.addLayout(words)
        row = QHBoxLayout()
        row.addWidget(self._problems)
        row.addStretch(1)
        row.addWidget(self._sample, 1_000)
        self.body.addLayout(row)

    # --- what it shows --------------------------------------------------------------------

    def _show_state(self) -> None:
        """Everything as it is while nothing is being looked at."""
        opened = self._scanned is not None
        self._progress.hide()
        self._invitation.setVisible(not opened)
        self._list.setVisible(opened)
        self._total.setVisible(opened)
        self._split.setVisible(opened)
        left_out = len(self._scanned.problems) if self._scanned else 0
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

    def _show_bar(self, text: str, done: int, total: int) -> None:
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._doing.setText(text)
        self._progress.show()

    def _show_summary(self) -> None:
        if self._scanned is None:
            return
        train, validation = self._scanned.split_counts(self._fraction)
        counts = {"train": f"{train:,}", "validation": f"{validation:,}"}
        classes = trn("{count} class", "{count} classes", len(self._scanned.classes))
        images = trn("{count} image", "{count} images", train + validation)
        self._total.setText(tr("{classes}, {images}", classes=classes, images=images))
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
        self._split.setText(text)

    @Slot()
    def _show_problems(self) -> None:
        if self._scanned:
            ProblemsDialog(self._scanned.problems, self).open()

    # --- what the user does ---------------------------------------------------------------

    @Slot()
    def _typing(self) -> None:
        theme.style(self._path, invalid=False)

    @Slot()
    def _open_typed(self) -> None:
        if folder := typed_path(self._path.text()):
            self._path.setText(folder)
            self.folder_chosen.emit(folder)

    @Slot()
    def ask(self) -> None:
        """Has the user choose a folder, where one may be opened now."""
        if not self._browse.isEnabled():
            return
        choose_folder(self, tr("Choose a folder of images"), self.folder, self._open)

    @Slot(QAction)
    def _open_recent(self, action: QAction) -> None:
        if action is self._clear_cache:
            self.clear_cache_requested.emit()
        else:
            self._open(str(action.data()))

    @Slot(str)
    def _open(self, folder: str) -> None:
        self.show_folder(folder)
        self.folder_chosen.emit(folder)


def same_but_checked(before: Scanned, scanned: Scanned) -> bool:
    """Whether a folder was merely checked since, and no class has lost a photo by it."""
    return not before.checked and replace(scanned, checked=False, problems=()) == replace(
        before, problems=()
    )


def _progress(done: int, total: int) -> dict[str, str]:
    return {"done": f"{done:,}", "total": f"{total:,}"}
