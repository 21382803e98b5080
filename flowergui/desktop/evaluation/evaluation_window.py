"""How well a network does on photos that it has not learned from, and which it mistakes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.evaluation.confusion_table import ConfusionTable
from flowergui.desktop.evaluation.evaluated_photos import (
    ERRORS,
    Choice,
    EvaluatedPhotos,
    are_correct,
    title,
)
from flowergui.desktop.evaluation.photo_grid import PhotoGrid
from flowergui.desktop.prediction.answer_view import AnswerView
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.run_names import spoken
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.file_dialogs import choose_folder, choose_table
from flowergui.desktop.widgets.file_manager import show_folder
from flowergui.desktop.widgets.labels import ElidedLabel, escape_tooltip, quiet_button, small_label
from flowergui.desktop.widgets.photo_view import PhotoView
from flowergui.errors import FlowerError
from flowergui.events import Evaluated, PhotoEvaluated
from flowergui.store import csv_export
from flowergui.text import (
    fine_percent,
    plural,
    shortened,
)

PHOTO = QSize(200, 190)
CLASSES = QSize(200, 150)
"""Pixels that the chosen photo has at least, and that the table has."""


class EvaluationWindow(QDialog):
    """Shows what it is told; does not block the window that it belongs to."""

    folder_requested = Signal(object)
    """The user wants the photos of this folder (str) to be judged."""
    prediction_requested = Signal(object)
    """The user looks at this photo: its path, which need not be text."""
    explanation_requested = Signal(object)
    """The user wants to see why this PhotoAnswer was predicted so."""
    rerun_requested = Signal()
    """The user wants the same photos to be judged once more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evaluationWindow")
        self.setWindowTitle("Mistakes")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self._judged = EvaluatedPhotos()
        self._choice: Choice = ERRORS
        self._shown: PhotoAnswer | None = None
        self._over = False

        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[theme.SPACE + 4] * 4)
        rows.setSpacing(theme.SPACE)
        rows.addLayout(self._make_head())
        rows.addWidget(self._progress)
        rows.addWidget(self._note)
        rows.addWidget(self._failure, 1)
        self._both = QSplitter(Qt.Orientation.Horizontal)
        self._both.setHandleWidth(theme.SPACE)
        self._both.setChildrenCollapsible(False)
        for place, card in enumerate((self._make_classes(), self._make_photos())):
            self._both.addWidget(card)
            self._both.setStretchFactor(place, 1)
        rows.addWidget(self._both, 1_000)
        self._grid.setFocus()
        line = self.fontMetrics().height()
        wanted = QSize(70 * line, 44 * line)
        self._both.setSizes([31 * line, 37 * line])
        self.resize(wanted.boundedTo(self.screen().availableSize() * 0.95))

    # --- for its control ------------------------------------------------------------------

    def begin(self, checkpoint: str) -> None:
        """This checkpoint is asked now; what was there before goes."""
        self._judged = EvaluatedPhotos()
        self._over, self._choice = False, ERRORS
        self._figure.hide()
        self._both.show()
        self._sum.setText("Looking at photos…")
        self._who.setText(f"{spoken(checkpoint)} answers.")
        self._who.setToolTip(checkpoint)
        self._progress.setRange(0, 0)
        self._progress.show()
        self._save.setEnabled(False)
        for label in (self._note, self._failure):
            label.hide()
        self._table.let_go()
        self._table.show_matrix((), self._judged.confusion_matrix)
        self._show_choice()

    def show_photos(self, judged: Sequence[PhotoEvaluated]) -> None:
        """More photos are judged."""
        tally = self._judged.confusion_matrix
        before = tally.class_count
        self._judged.add(judged)
        if tally.class_count != before:
            self._table.show_matrix(tally.names(), tally)
        else:
            self._table.grown()
        self._figure.setText(fine_percent(tally.accuracy))
        self._figure.show()
        self._sum.setText(f"{tally.correct:,} of {plural(tally.photos, 'photo')} are right")

    def show_progress(self, done: int, total: int) -> None:
        """So many of so many are done; a `total` of 0 is not known."""
        self._progress.setRange(0, total)
        self._progress.setValue(done)

    def show_result(self, event: Evaluated) -> None:
        """All photos are judged."""
        self._end()
        epoch = f", epoch {event.epoch:,}" if event.epoch else ""
        place = Path(event.folder).name
        new = "" if event.trained_on is None else " new to it,"
        self._who.setText(
            f"{spoken(event.checkpoint)}{epoch}, on photos{new} in the folder {place}"
        )
        self._who.setToolTip(escape_tooltip(f"{event.checkpoint}\n{event.folder}"))
        if event.top5 is not None:
            top5 = fine_percent(event.top5)
            self._sum.setText(f"{self._sum.text()}; {top5} are among its five likeliest")
        self._say(self._note, " ".join(_notes(event)))
        self._save.setEnabled(True)
        self._show_choice(self._shown.path if self._shown else "")

    def show_failure(self, text: str) -> None:
        """No more photos will be judged, and why."""
        self._end()
        if not self._judged.all:
            self._sum.setText("No photo was judged")
            self._both.hide()  # so that the failure stands in the middle
        self._save.setEnabled(bool(self._judged.all))
        self._say(self._failure, text)
        self._show_choice()

    def show_answer(self, shown: PhotoAnswer) -> None:
        """More is known of a photo that the user looks at."""
        if self._shown and self._shown.path == shown.path:
            self._shown = shown
            self._answer.show_photo(shown)

    @property
    def is_finished(self) -> bool:
        """Whether no more photos will come: all are evaluated, or no more could be."""
        return self._over

    @property
    def shown(self) -> PhotoAnswer | None:
        """The photo that the user looks at, and what is known of it."""
        return self._shown

    # --- its parts ------------------------------------------------------------------------

    def _make_head(self) -> QHBoxLayout:
        self._figure = QLabel()
        self._figure.setObjectName("evaluationAccuracy")
        theme.style(self._figure, role="figure")
        theme.tabular(self._figure)
        self._sum = ElidedLabel()
        self._sum.setObjectName("evaluationSum")
        self._sum.setMinimumWidth(160)
        theme.style(self._sum, role="heading")
        self._who = ElidedLabel()
        self._who.setObjectName("evaluationCheckpoint")
        theme.style(self._who, role="caption")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._sum)
        words.addWidget(self._who)
        again = quiet_button("Judge again", "judgeAgainButton")
        again.setToolTip("Once more: files may be in other folders by now, or the network better.")
        again.clicked.connect(self.rerun_requested)
        others = QPushButton("Other photos…")
        others.setObjectName("otherPhotosButton")
        others.setToolTip("Judge the photos of another folder, one subfolder a class.")
        others.clicked.connect(self._ask_for_folder)
        self._save = QPushButton("Save table…")
        self._save.setObjectName("saveTableButton")
        self._save.setToolTip("Keep what it says of each photo as a table (.csv).")
        self._save.clicked.connect(self._ask_for_table)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName("Photos that are judged")
        theme.style(self._progress, slim=True)
        self._note = small_label()
        self._note.setObjectName("evaluationNote")
        self._failure = small_label("error")
        self._failure.setObjectName("evaluationError")
        self._failure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        head = QHBoxLayout()
        head.setSpacing(2 * theme.SPACE)
        head.addWidget(self._figure)
        head.addLayout(words, 1)
        head.addWidget(again)
        for button in (others, self._save):
            button.setAutoDefault(False)
            head.addWidget(button)
        return head

    def _make_classes(self) -> Card:
        card = Card("Classes")
        card.body.addWidget(
            small_label(
                text="Rows: what the photos show. Columns: what it takes them for. Choose a number "
                "to see its photos."
            )
        )
        self._table = ConfusionTable()
        self._table.chosen.connect(self._choose)
        self._table.setMinimumSize(CLASSES)
        card.body.addWidget(self._table, 1)
        return card

    def _make_photos(self) -> Card:
        card = Card()
        self._title = ElidedLabel()
        self._title.setObjectName("judgedTitle")
        theme.style(self._title, role="title")
        self._all = quiet_button("All mistakes", "allMistakesButton")
        policy = self._all.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # nothing moves when it comes
        self._all.setSizePolicy(policy)
        self._all.clicked.connect(self._choose_mistakes)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._all)
        card.body.addLayout(head)
        self._order = small_label()
        self._order.setObjectName("judgedOrder")
        card.body.addWidget(self._order)
        self._grid = PhotoGrid()
        self._grid.chosen.connect(self._look)
        card.body.addWidget(self._grid, 1)
        card.body.addWidget(self._make_detail())
        return card

    def _make_detail(self) -> QWidget:
        view = PhotoView()
        view.setMinimumSize(PHOTO)
        self._answer = AnswerView(view, prefix="judged")
        self._answer.explanation_requested.connect(self.explanation_requested)
        folder = quiet_button("Show in its folder", "showInFolderButton", flush=True)
        folder.setToolTip("Is it the label that is wrong? Then move the file to its right folder.")
        folder.clicked.connect(self._open_folder)
        right = QVBoxLayout()
        right.addWidget(self._answer)
        right.addStretch(1)
        right.addWidget(folder)
        self._detail = QWidget()
        row = QHBoxLayout(self._detail)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(view, 1)
        row.addLayout(right, 1)
        return self._detail

    # --- what is chosen -------------------------------------------------------------------

    @Slot(object)
    def _choose(self, choice: Choice) -> None:
        self._choice = choice
        self._show_choice()

    @Slot()
    def _choose_mistakes(self) -> None:
        self._table.let_go()
        self._choose(ERRORS)

    def _show_choice(self, path: str = "") -> None:
        """Shows the photos of what is chosen, and looks at that of this path."""
        photos = self._judged.chosen(self._choice)
        if self._choice == ERRORS and not self._over:
            photos = []  # each that comes would change their order
        count = f": {plural(len(photos), 'photo')}" if self._over or photos else ""
        self._title.setText(f"{title(self._choice)}{count}")
        self._all.setVisible(self._choice != ERRORS)
        if photos:
            first = "least sure" if are_correct(self._choice) else "surest"
            self._order.setText(f"The {first} first")
        else:
            self._order.setText("There are none." if self._over else "They come when all are done.")
        self._shown = None
        self._answer.show_photo(None)
        self._detail.setVisible(bool(photos))
        self._grid.show_photos(photos, path)

    @Slot(object)
    def _look(self, judged: PhotoEvaluated) -> None:
        self._shown = PhotoAnswer(judged.path)
        self._answer.show_photo(self._shown)
        self.prediction_requested.emit(judged.path)

    # --- what is asked for ----------------------------------------------------------------

    @Slot()
    def _ask_for_folder(self) -> None:
        choose_folder(self, "Choose a folder of photos", "", self.folder_requested.emit)

    @Slot()
    def _ask_for_table(self) -> None:
        choose_table(self, "Save what it says of each photo", "mistakes.csv", self._write)

    @Slot(str)
    def _write(self, path: str) -> None:
        self._say(self._failure, "")
        try:
            with csv_export.predictions_table(Path(path)) as write:
                for judged in self._judged.all:
                    write(judged)
        except FlowerError as error:
            self._say(self._failure, str(error))
        else:
            self._say(self._note, f"The table is in {path}.")

    @Slot()
    def _open_folder(self) -> None:
        if self._shown:
            self._say(self._failure, show_folder(Path(self._shown.path).parent))

    # --- small ones -----------------------------------------------------------------------

    def _end(self) -> None:
        self._over = True
        self._progress.hide()

    def _say(self, label: QLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))


def _notes(event: Evaluated) -> Iterator[str]:
    if event.problems:
        first, count = event.problems[0], plural(len(event.problems), "photo")
        yield f"{count} could not be read ({first.path}: {first.reason})."
    if event.trained_on is None:
        yield "Nobody knows which of these photos it has learned from."
    if event.unknown_classes:
        yield f"Left out, as it does not know the class: {shortened(event.unknown_classes)}."
