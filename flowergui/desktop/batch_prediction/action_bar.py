"""What can be done with the photos that are shown: saved as a table, and sorted into folders."""

from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop.accessibility import announce
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.cancellable_progress import CancellableProgress
from flowergui.desktop.widgets.file_dialogs import choose_folder, choose_table
from flowergui.desktop.widgets.file_manager import show_folder
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.events import CopiesRemoved, CopyFailed, SortedIntoFolders
from flowergui.text import tr, trn
from flowergui.wording import copies_removed_text, copy_failed_text, sorted_into_folders_text


class ActionBar(QWidget):
    """Buttons, the progress of what goes on, and what has come of it."""

    table_requested = Signal(str)
    """The user wants the photos that are shown as a table in this file."""
    sorting_requested = Signal(str)
    """The user wants copies of the photos that are shown in folders in this folder."""
    undo_requested = Signal(str)
    """The user wants the copies removed that this manifest lists."""
    cancel_requested = Signal()
    """The user doesn't want to wait for what goes on."""

    busy_changed = Signal()
    """Something goes on now, or nothing does any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sorted: SortedIntoFolders | None = None  # what can be undone
        self._count = 0
        self._busy = False
        self._progress = CancellableProgress("cancelBatchButton")
        self._progress.cancel_requested.connect(self.cancel_requested)
        self._progress.hide()
        self._note = small_label()
        self._note.setObjectName("batchNote")
        self._error = small_label("error")
        self._error.setObjectName("batchError")
        self._folder = quiet_button(tr("Show the folder"), "showSortedButton")
        self._folder.clicked.connect(self._show_folder)
        self._undo = quiet_button("", "undoSortingButton")
        self._undo.setToolTip(tr("Removes the copies that were not changed since."))
        self._undo.clicked.connect(self._ask_for_undo)
        self._save = QPushButton(tr("Save as CSV…"))
        self._save.setObjectName("saveBatchButton")
        self._save.setToolTip(tr("Save the images that are shown as a table (.csv)."))
        self._save.clicked.connect(self._ask_for_table)
        self._sort = QPushButton()
        self._sort.setObjectName("sortIntoFoldersButton")
        self._sort.setToolTip(
            tr(
                "Copies the images that are shown into a folder for each class, and the unsure "
                "ones into a folder of their own. Nothing is moved."
            )
        )
        self._sort.clicked.connect(self._ask_for_folder)
        theme.style(self._sort, role="primary")
        self._lay_out()
        self.show_note("")

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.SPACE)
        buttons.addStretch(1)
        for button in (self._save, self._sort):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.SPACE)
        outcome = QHBoxLayout()
        outcome.addWidget(self._note, 1)
        outcome.addWidget(self._folder)
        outcome.addWidget(self._undo)
        rows.addWidget(self._progress)
        rows.addLayout(outcome)
        rows.addWidget(self._error)
        rows.addLayout(buttons)

    # --- what it shows --------------------------------------------------------------------

    def begin(self) -> None:
        """Photos will be predicted; what came of others is no longer said."""
        self._sorted = None
        self.show_note("")
        self.show_progress(tr("Looking for images…"), 0, 0)

    def show_count(self, count: int) -> None:
        """So many of the photos that are shown are predicted."""
        self._count = count
        self._show_state()

    def show_progress(
        self, text: str, done: int, total: int, *, can_be_cancelled: bool = True
    ) -> None:
        """Something goes on."""
        self._progress.show_share(text, done, total, can_be_cancelled=can_be_cancelled)
        self._set_busy(True)

    def begin_sorting(self) -> None:
        """Photos will be copied; what was copied before can't be undone here any more."""
        self._sorted = None
        self.show_note("")

    def end(self) -> None:
        """Nothing goes on any more."""
        self._progress.hide()
        self._set_busy(False)

    @property
    def is_busy(self) -> bool:
        """Whether something goes on."""
        return self._busy

    @property
    def can_undo(self) -> bool:
        """Whether the last copies can be removed."""
        return self._sorted is not None

    def _set_busy(self, busy: bool) -> None:
        changed, self._busy = busy != self._busy, busy
        self._show_state()
        if changed:
            self.busy_changed.emit()

    def show_sorted(self, event: SortedIntoFolders, failure: CopyFailed | None) -> None:
        """Photos were copied. `failure` is one that could not be."""
        self._sorted = event if event.manifest else None
        self.show_note(sorted_into_folders_text(event))
        if failure is not None:
            self._error.setText(copy_failed_text(failure))
            self._error.show()
        self.end()

    def show_undone(self, event: CopiesRemoved) -> None:
        """Copies were removed. For those that could not be, it can be tried again."""
        if self._sorted is not None:
            left = len(event.failed)
            self._sorted = replace(self._sorted, copied=left) if left else None
        self.show_note(copies_removed_text(event))
        self.end()

    def show_note(self, text: str, *, is_error: bool = False) -> None:
        """Says what has come of something, or what went wrong; "" takes it back."""
        for label, shown in ((self._note, not is_error), (self._error, is_error)):
            label.setText(text if shown else "")
            label.setVisible(shown and bool(text))
        announce(self, text, urgent=is_error)
        self._show_state()

    def _show_state(self) -> None:
        idle = not self._busy
        self._sort.setText(
            trn(
                "Sort {count} image into folders…", "Sort {count} images into folders…", self._count
            )
        )
        for button in (self._save, self._sort):
            button.setEnabled(idle and self._count > 0)
        for button in (self._undo, self._folder):
            button.setVisible(self._sorted is not None and idle)
        if self._sorted:
            self._undo.setText(
                trn(
                    "Undo: remove the {count} copy",
                    "Undo: remove the {count} copies",
                    self._sorted.copied,
                )
            )

    # --- what is asked for ----------------------------------------------------------------

    @Slot()
    def _ask_for_table(self) -> None:
        choose_table(self, tr("Save the predictions"), "predictions.csv", self.table_requested.emit)

    @Slot()
    def _ask_for_folder(self) -> None:
        title = tr("Choose a folder for the copies")
        choose_folder(self, title, "", self.sorting_requested.emit)

    @Slot()
    def _ask_for_undo(self) -> None:
        if self._sorted:
            self.undo_requested.emit(self._sorted.manifest)

    @Slot()
    def _show_folder(self) -> None:
        if self._sorted and (problem := show_folder(self._sorted.folder)):
            self.show_note(problem, is_error=True)
