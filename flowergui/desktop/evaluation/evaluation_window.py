"""How good a network is on photos that it was not trained on, and which classes it confuses."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QSplitter, QWidget

from flowergui.desktop.evaluation.confusion_table import ConfusionTable
from flowergui.desktop.evaluation.evaluated_photos import ERRORS, Choice, EvaluatedPhotos
from flowergui.desktop.evaluation.evaluation_head import EvaluationHead
from flowergui.desktop.evaluation.photos_card import PhotosCard
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.labels import small_label
from flowergui.desktop.widgets.windows import (
    LastingDialog,
    ScrollingRows,
    resize_within_screen,
)
from flowergui.events import Evaluated, PhotoEvaluated
from flowergui.text import tr

MIN_TABLE_PX = QSize(200, 150)


class EvaluationWindow(LastingDialog):
    """Shows an evaluation while it runs and when it is finished. It does not block its parent
    window."""

    folder_requested = Signal(object)
    """The user wants to evaluate the photos of this folder (str)."""
    rerun_requested = Signal()
    """The user wants to evaluate the same photos once more."""
    table_requested = Signal(str)
    """The user wants the predictions as a table in this file."""
    prediction_requested = Signal(object)
    """The user looks at this photo: its path, which need not be text."""
    explanation_requested = Signal(object)
    """The user wants to see why this PhotoAnswer was predicted so."""
    correction_requested = Signal(object, str)
    """The user wants this PhotoEvaluated in the folder of another class; "" leaves it out."""
    undo_requested = Signal()
    """The user wants the last correction undone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evaluationWindow")
        self.setWindowTitle(tr("Evaluation"))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self._evaluated = EvaluatedPhotos()
        self._choice: Choice = ERRORS
        self._finished = False
        self._head = EvaluationHead()
        self._head.rerun_requested.connect(self.rerun_requested)
        self._head.folder_requested.connect(self.folder_requested)
        self._head.table_requested.connect(self.table_requested)
        self._photos = PhotosCard()
        self._photos.errors_requested.connect(self._choose_errors)
        self._photos.prediction_requested.connect(self.prediction_requested)
        self._photos.explanation_requested.connect(self.explanation_requested)
        self._photos.folder_failed.connect(self.show_error)
        self._photos.labels.label_requested.connect(self._ask_to_correct)
        self._photos.labels.undo_requested.connect(self.undo_requested)
        self._undoable: list[list[PhotoEvaluated]] = []  # the photos before each correction
        self._both = QSplitter(Qt.Orientation.Horizontal)
        self._both.setHandleWidth(theme.SPACE)
        self._both.setChildrenCollapsible(False)
        for place, card in enumerate((self._make_classes(), self._photos)):
            self._both.addWidget(card)
            self._both.setStretchFactor(place, 1)
        rows = ScrollingRows(self).rows
        rows.addWidget(self._head, 1)
        rows.addWidget(self._both, 1_000)
        self._photos.grid.setFocus()
        line = self.fontMetrics().height()
        self._both.setSizes([31 * line, 37 * line])
        resize_within_screen(self, 70 * line, 44 * line)

    def _make_classes(self) -> Card:
        card = Card(tr("Classes"))
        card.body.addWidget(
            small_label(
                text=tr(
                    "Rows: true class. Columns: predicted class. Click a cell to see its images."
                )
            )
        )
        self._table = ConfusionTable()
        self._table.chosen.connect(self._choose)
        self._table.setMinimumSize(MIN_TABLE_PX)
        card.body.addWidget(self._table, 1)
        return card

    # --- for its controller ---------------------------------------------------------------

    def begin(self, checkpoint: str, name: str) -> None:
        """The evaluation of this checkpoint begins; the one before is shown no longer. Files are
        read anew."""
        self._evaluated = EvaluatedPhotos()
        self._finished, self._choice = False, ERRORS
        self._undoable = []
        self._photos.forget_pictures()
        self._photos.set_classes(())
        self._photos.labels.show_corrected("", undoable=False)
        self._both.show()
        self._head.begin(checkpoint, name)
        self._table.clear_choice()
        self._table.show_matrix((), self._evaluated.confusion_matrix)
        self._show_choice()

    def show_photos(self, photos: Sequence[PhotoEvaluated]) -> None:
        """More photos are evaluated."""
        matrix = self._evaluated.confusion_matrix
        before = matrix.class_count
        self._evaluated.add(photos)
        if matrix.class_count != before:
            self._table.show_matrix(matrix.names(), matrix)
        else:
            self._table.grown()
        self._head.show_matrix(matrix)

    def show_progress(self, done: int, total: int) -> None:
        """So many photos are done; a `total` of 0 is not known."""
        self._head.show_progress(done, total)

    def show_result(self, event: Evaluated, left_out: Sequence[str] = ()) -> None:
        """All photos are evaluated. `left_out` are sentences on what was not."""
        self._finished = True
        self._photos.set_classes(
            tuple(each.name for each in event.classes) or self._evaluated.confusion_matrix.names()
        )
        self._head.show_result(event, self._evaluated.confusion_matrix, left_out)
        self._show_choice(self.shown.path if self.shown else "")

    def show_corrected(self, photo: PhotoEvaluated, now: PhotoEvaluated | None, text: str) -> None:
        """A photo has another label and another path `now`; None: it was left out. `text` says
        so."""
        following = self._photos.next_after(photo.path)
        self._undoable.append(self._evaluated.all)
        if now is not None:
            self._photos.forget_pictures(now.path)  # another photo may have had this name
        replaced = (now if each == photo else each for each in self._evaluated.all)
        self._photos.labels.show_corrected(text, undoable=True)
        self._show_evaluated([each for each in replaced if each is not None], following)

    def show_undone(self, path: str) -> None:
        """The last correction was undone, and the photo is at this path again."""
        before = self._undoable.pop()
        self._photos.forget_pictures(path)
        self._photos.labels.show_corrected("", undoable=bool(self._undoable))
        self._show_evaluated(before, path)

    def _show_evaluated(self, photos: list[PhotoEvaluated], path: str) -> None:
        self._evaluated.replace_all(photos)
        matrix = self._evaluated.confusion_matrix
        self._table.show_matrix(matrix.names(), matrix)
        self._head.show_corrected(matrix, corrected=bool(self._undoable))
        self._show_choice(path)

    @Slot(str)
    def _ask_to_correct(self, label: str) -> None:
        shown = self.shown
        photo = next((each for each in self.photos if shown and each.path == shown.path), None)
        if photo is not None:
            self.correction_requested.emit(photo, label)

    def show_failure(self, text: str) -> None:
        """No more photos will be evaluated, and why."""
        self._finished = True
        anything = bool(self._evaluated.all)
        self._head.end(anything=anything)
        self._both.setVisible(anything)  # else the error is centered
        self._head.show_error(text)
        self._show_choice()

    def show_answer(self, shown: PhotoAnswer) -> None:
        """More is known of a photo that the user looks at."""
        self._photos.show_answer(shown)

    def show_note(self, text: str) -> None:
        """Says something beside the figures."""
        self._head.show_error("")
        self._head.show_note(text)

    @Slot(str)
    def show_error(self, text: str) -> None:
        """Says what went wrong; the evaluation stays."""
        self._head.show_error(text)

    @property
    def is_finished(self) -> bool:
        """Whether no more photos will come: all are evaluated, or it has broken off."""
        return self._finished

    @property
    def photos(self) -> Sequence[PhotoEvaluated]:
        """All photos that are evaluated by now, in their order."""
        return self._evaluated.all

    @property
    def shown(self) -> PhotoAnswer | None:
        """The photo that the user looks at, and what is known of it."""
        return self._photos.shown

    # --- what is chosen -------------------------------------------------------------------

    @Slot(object)
    def _choose(self, choice: Choice) -> None:
        self._choice = choice
        self._show_choice()

    @Slot()
    def _choose_errors(self) -> None:
        self._table.clear_choice()
        self._choose(ERRORS)

    def _show_choice(self, path: str = "") -> None:
        photos = self._evaluated.chosen(self._choice)
        if self._choice == ERRORS and not self._finished:
            photos = []  # each that comes would change their order
        self._photos.show_choice(self._choice, photos, finished=self._finished, path=path)
