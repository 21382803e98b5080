"""The head of the evaluation: the accuracy, which checkpoint and photos it is of, and what can be
done."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from flowergui.confidence_interval import wilson_interval
from flowergui.confusion_matrix import ConfusionMatrix
from flowergui.desktop.accessibility import announce
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import WrappingRow
from flowergui.desktop.widgets.file_dialogs import choose_folder, choose_table
from flowergui.desktop.widgets.labels import ElidedLabel, escape_tooltip, quiet_button, small_label
from flowergui.events import Evaluated
from flowergui.text import enumerated, fine_percent, sentences, shortened, tr, trn
from flowergui.wording import unreadable_text

MAX_CONFUSIONS = 3
"""Pairs of classes that are named as confused most often."""

MIN_SENTENCE_LINES = 10
"""The width that the sentence on the accuracy has at least, in heights of a line."""


class EvaluationHead(QWidget):
    """Shows the figures of an evaluation, how far it is, and what went wrong."""

    rerun_requested = Signal()
    """The user wants to evaluate the same photos once more."""
    folder_requested = Signal(object)
    """The user wants to evaluate the photos of this folder (str)."""
    table_requested = Signal(str)
    """The user wants the predictions as a table in this file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = ""
        self._result: Evaluated | None = None
        self._notes: tuple[str, ...] = ()  # on the figures
        self._left_out: tuple[str, ...] = ()
        self._said = ""
        self._accuracy = QLabel()
        self._accuracy.setObjectName("evaluationAccuracy")
        theme.style(self._accuracy, role="figure")
        theme.tabular(self._accuracy)
        self._sentence = ElidedLabel()
        self._sentence.setObjectName("evaluationSentence")
        self._sentence.setMinimumWidth(MIN_SENTENCE_LINES * self.fontMetrics().height())
        theme.style(self._sentence, role="heading")
        self._subject = ElidedLabel()
        self._subject.setObjectName("evaluationSubject")
        theme.style(self._subject, role="caption")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName(tr("Evaluated images"))
        theme.style(self._progress, slim=True)
        self._note = small_label()
        self._note.setObjectName("evaluationNote")
        self._failure = small_label("error")
        self._failure.setObjectName("evaluationError")
        self._failure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(self._make_row())
        rows.addWidget(self._progress)
        rows.addWidget(self._note)
        rows.addWidget(self._failure, 1)

    def _make_row(self) -> WrappingRow:
        texts = QWidget()
        sentences = QVBoxLayout(texts)
        sentences.setContentsMargins(0, 0, 0, 0)
        sentences.setSpacing(2)
        sentences.addWidget(self._sentence)
        sentences.addWidget(self._subject)
        again = quiet_button(tr("Evaluate again"), "evaluateAgainButton")
        again.setToolTip(tr("Evaluate again, for example after moving images or training further."))
        again.clicked.connect(self.rerun_requested)
        others = QPushButton(tr("Other images…"))
        others.setObjectName("otherPhotosButton")
        others.setToolTip(tr("Evaluate on the images of another folder, one subfolder a class."))
        others.clicked.connect(self._ask_for_folder)
        self._save = QPushButton(tr("Save table…"))
        self._save.setObjectName("saveTableButton")
        self._save.setToolTip(tr("Save the prediction for each image as a table (.csv)."))
        self._save.clicked.connect(self._ask_for_table)
        for button in (others, self._save):
            button.setAutoDefault(False)
        row = WrappingRow(spacing=2 * theme.SPACE, fills=True)
        row.add((self._accuracy, texts), (again, others, self._save))
        return row

    # --- what it shows --------------------------------------------------------------------

    def begin(self, checkpoint: str, name: str) -> None:
        """The evaluation of this checkpoint, which people know by this name, begins."""
        self._accuracy.hide()
        self._sentence.setText(tr("Evaluating…"))
        self._subject.setText(tr("{checkpoint} is being evaluated.", checkpoint=name))
        self._subject.setToolTip(escape_tooltip(checkpoint))
        self._progress.setRange(0, 0)
        self._progress.show()
        self._save.setEnabled(False)
        self._name, self._result = name, None
        self._notes, self._left_out = (), ()
        self.show_note("")
        self.show_error("")

    def show_progress(self, done: int, total: int) -> None:
        """So many photos are done; a `total` of 0 is not known."""
        self._progress.setRange(0, total)
        self._progress.setValue(done)

    def show_matrix(self, matrix: ConfusionMatrix, top5: float | None = None) -> None:
        """The figures of the photos that are evaluated by now."""
        self._accuracy.setText(fine_percent(matrix.accuracy))
        self._accuracy.show()
        correct = f"{matrix.correct:,}"
        if top5 is None:
            sentence = trn(
                "{correct} of {count} image predicted correctly",
                "{correct} of {count} images predicted correctly",
                matrix.photos,
                correct=correct,
            )
        else:
            sentence = trn(
                "{correct} of {count} image predicted correctly; top-5 accuracy {top5}",
                "{correct} of {count} images predicted correctly; top-5 accuracy {top5}",
                matrix.photos,
                correct=correct,
                top5=fine_percent(top5),
            )
        self._sentence.setText(sentence)

    def show_result(
        self, event: Evaluated, matrix: ConfusionMatrix, left_out: Sequence[str] = ()
    ) -> None:
        """All photos are evaluated. `left_out` are sentences on what was not."""
        self._result, self._left_out = event, tuple(left_out)
        self.show_corrected(matrix, corrected=False)
        self._progress.hide()
        epoch, folder = f"{event.epoch:,}", Path(event.folder).name
        if event.trained_on is None:
            text = tr(
                "{checkpoint}, epoch {epoch}, on images in {folder}",
                checkpoint=self._name,
                epoch=epoch,
                folder=folder,
            )
        else:
            text = tr(
                "{checkpoint}, epoch {epoch}, on unseen images in {folder}",
                checkpoint=self._name,
                epoch=epoch,
                folder=folder,
            )
        self._subject.setText(text)
        self._subject.setToolTip(escape_tooltip(f"{event.checkpoint}\n{event.folder}"))
        self._save.setEnabled(True)

    def show_corrected(self, matrix: ConfusionMatrix, *, corrected: bool) -> None:
        """The figures where labels may have been `corrected` since the evaluation: the top-5
        accuracy is not known then."""
        event = self._result
        self.show_matrix(matrix, event.top5 if event and not corrected else None)
        self._notes = (*_notes(event, matrix), *self._left_out) if event else ()
        self._show_notes()

    def end(self, *, anything: bool) -> None:
        """The evaluation has broken off, after some photos or before any."""
        self._progress.hide()
        self._subject.setText(
            tr("The evaluation of {checkpoint} has ended early.", checkpoint=self._name)
        )
        self._save.setEnabled(anything)
        if not anything:
            self._sentence.setText(tr("No image was evaluated"))

    def show_note(self, text: str) -> None:
        """Says something beside the figures, after what is said of them; "" takes it back."""
        self._said = text
        announce(self, text)
        self._show_notes()

    def _show_notes(self) -> None:
        text = sentences(*self._notes, self._said)
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def show_error(self, text: str) -> None:
        """Says what went wrong; "" takes it back."""
        self._failure.setText(text)
        self._failure.setVisible(bool(text))
        announce(self, text, urgent=True)

    # --- what is asked for ----------------------------------------------------------------

    @Slot()
    def _ask_for_folder(self) -> None:
        choose_folder(self, tr("Choose a folder of images"), "", self.folder_requested.emit)

    @Slot()
    def _ask_for_table(self) -> None:
        choose_table(self, tr("Save the predictions"), "predictions.csv", self.table_requested.emit)


def _notes(event: Evaluated, matrix: ConfusionMatrix) -> Iterator[str]:
    if event.trained_on is not None and matrix.photos:
        low, high = wilson_interval(matrix.correct, matrix.photos)
        yield tr(
            "With 95% confidence, the accuracy on new images lies between {low} and {high}.",
            low=fine_percent(low),
            high=fine_percent(high),
        )
    if event.problems:
        yield unreadable_text(event.problems)
    if event.trained_on is None:
        yield tr(
            "The training set is unknown: some of these images may have been used for training."
        )
    if event.unknown_classes:
        yield tr("Skipped (unknown classes): {classes}.", classes=shortened(event.unknown_classes))
    confused = [each for each in matrix.confusions() if each.photos > 1][:MAX_CONFUSIONS]
    if confused and matrix.class_count > 2:
        pairs = (
            tr(
                "{label} as {predicted} ({count})",
                label=each.label,
                predicted=each.predicted,
                count=f"{each.photos:,}",
            )
            for each in confused
        )
        yield tr("Most often confused: {pairs}.", pairs=enumerated(pairs))
