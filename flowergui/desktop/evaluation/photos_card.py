"""The photos of a cell of the confusion matrix, and what is known of the one that is chosen."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flowergui.desktop.context_menus.photo_menu import PhotoMenu
from flowergui.desktop.evaluation.evaluated_photos import (
    ERRORS,
    Choice,
    are_correct,
    title,
    title_with_count,
)
from flowergui.desktop.evaluation.label_buttons import LabelButtons
from flowergui.desktop.evaluation.photo_grid import PhotoGrid
from flowergui.desktop.prediction.answer_view import AnswerView
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.file_manager import folder_of, show_folder
from flowergui.desktop.widgets.labels import ElidedLabel, quiet_button, small_label
from flowergui.desktop.widgets.photo_view import PhotoView
from flowergui.events import PhotoEvaluated
from flowergui.text import tr

MIN_PHOTO_PX = QSize(160, 170)


class PhotosCard(Card):
    """Shows a grid of photos, and the chosen one beside its predictions."""

    errors_requested = Signal()
    """The user wants to see all errors again."""
    prediction_requested = Signal(object)
    """The user looks at this photo: its path, which need not be text."""
    explanation_requested = Signal(object)
    """The user wants to see why this PhotoAnswer was predicted so."""

    folder_failed = Signal(str)
    """The folder of a photo can't be shown; a sentence says why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.shown: PhotoAnswer | None = None
        """The photo that is chosen, and what is known of it; None for none."""
        self._classes: Sequence[str] = ()
        self._title = ElidedLabel()
        self._title.setObjectName("choiceTitle")
        theme.style(self._title, role="title")
        self._all = quiet_button(tr("All errors"), "allErrorsButton")
        policy = self._all.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing moves when it comes
        self._all.setSizePolicy(policy)
        self._all.clicked.connect(self.errors_requested)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._all)
        self.body.addLayout(head)
        self._order = small_label()
        self._order.setObjectName("choiceOrder")
        self.body.addWidget(self._order)
        self.grid = PhotoGrid()
        self.grid.chosen.connect(self._look)
        self.body.addWidget(self.grid, 1_000)
        self.body.addWidget(self._make_detail(), 1)

    def _make_detail(self) -> QWidget:
        self._view = view = PhotoView()
        view.setMinimumSize(MIN_PHOTO_PX)
        PhotoMenu(view, lambda place: view.path)
        self._answer = AnswerView(view, prefix="evaluated", role="figure")
        self._answer.explanation_requested.connect(self.explanation_requested)
        self.labels = LabelButtons()
        folder = quiet_button(tr("Show in its folder"), "showInFolderButton", flush=True)
        folder.clicked.connect(self._open_folder)
        right = QVBoxLayout()
        right.addWidget(self._answer)
        right.addStretch(1)
        right.addWidget(self.labels)
        right.addWidget(folder)
        self._detail = QWidget()
        row = QHBoxLayout(self._detail)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(view, 1)
        row.addLayout(right, 1)
        return self._detail

    def show_choice(
        self, choice: Choice, photos: Sequence[PhotoEvaluated], *, finished: bool, path: str = ""
    ) -> None:
        """Shows the photos of a choice, and chooses the one with this path, else the first.
        `finished` says whether no more will come."""
        listed = bool(photos) or finished
        self._title.setText(title_with_count(choice, len(photos)) if listed else title(choice))
        self._all.setVisible(choice != ERRORS)
        if photos and are_correct(choice):
            self._order.setText(tr("The least confident first"))
        elif photos:
            self._order.setText(tr("The most confident first"))
        elif finished:
            self._order.setText(tr("There are none."))
        else:
            self._order.setText(tr("Listed when all images are evaluated."))
        self.shown = None
        self._answer.show_photo(None)
        self.labels.show_photo(None, self._classes)
        self._detail.setVisible(bool(photos) or self.labels.says_something)
        self.grid.show_photos(photos, path)
        self._show_whole_rows()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_whole_rows()

    def _show_whole_rows(self) -> None:
        """Gives the grid the height of whole rows, so that no caption is cut; the chosen photo has
        the rest."""
        row, frame = self.grid.row_height(), 2 * self.grid.frameWidth()
        self.grid.setMinimumHeight(row + frame)
        others = self.body.minimumSize().height() - self.grid.minimumHeight()
        rows = max(1, (self.height() - others - frame) // row)
        alone = self._detail.isHidden()
        self.grid.setMaximumHeight(self.maximumHeight() if alone else rows * row + frame)

    def set_classes(self, classes: Sequence[str]) -> None:
        """The classes that a label may be corrected to; none while that can't be."""
        self._classes = classes

    def forget_pictures(self, *paths: str) -> None:
        """Reads these files, or all, anew before it shows them: they may have changed."""
        self.grid.thumbnails.forget(*paths)
        self._view.forget_pictures(*paths)

    def next_after(self, path: str) -> str:
        """The path of the photo after this one, or of the one before the last."""
        paths = [photo.path for photo in self.grid.photos()]
        place = paths.index(path) if path in paths else -1
        return next(iter((*paths[place + 1 :][:1], *paths[:place][-1:])), "")

    def show_answer(self, shown: PhotoAnswer) -> None:
        """More is known of a photo that the user looks at."""
        if self.shown and self.shown.path == shown.path:
            self.shown = shown
            self._answer.show_photo(shown)

    @Slot(object)
    def _look(self, photo: PhotoEvaluated) -> None:
        self.shown = PhotoAnswer(photo.path)
        self._answer.show_photo(self.shown)
        self.labels.show_photo(photo if self._classes else None, self._classes)
        self.prediction_requested.emit(photo.path)

    @Slot()
    def _open_folder(self) -> None:
        if self.shown and (problem := show_folder(folder_of(self.shown.path))):
            self.folder_failed.emit(problem)
