"""The predictions for one photo, and where the network looks."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.prediction.prediction_table import PredictionTable
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import ElidedLabel, escape_tooltip, quiet_button, small_label
from flowergui.desktop.widgets.photo_view import PhotoView
from flowergui.events import Predicted
from flowergui.text import percent, tr


class AnswerView(QWidget):
    """The name of a photo and its predictions, and "Why?", which shows their heatmaps in `view`.
    The object names of its widgets begin with `prefix`; `role` says how large the answer is."""

    explanation_requested = Signal(object)
    """The user wants to see why this PhotoAnswer is as it is: its heatmaps are not computed yet."""

    def __init__(
        self,
        view: PhotoView,
        parent: QWidget | None = None,
        *,
        prefix: str = "",
        role: str = "hero",
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._shown: PhotoAnswer | None = None
        self._row = 0  # of the prediction that "Why?" is about
        self._requested: Predicted | None = None  # was asked to be explained
        self._answer = ElidedLabel()
        theme.style(self._answer, role=role)
        theme.tabular(self._answer)
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        theme.style(self._name, role="heading")
        self._place = QLabel()
        theme.style(self._place, role="caption")
        self._why = quiet_button(tr("Why?"), "")
        self._why.setCheckable(True)
        self._why.setToolTip(
            tr("Highlight what speaks for a class. Click a prediction to see what does.")
        )
        self._why.toggled.connect(self._explain)
        theme.style(self._why, role="segment")
        self._reason = small_label()
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setAccessibleName(tr("Predicting"))
        theme.style(self._busy, slim=True)
        self._failure = small_label("error")
        self._table = PredictionTable()
        self._table.chosen.connect(self._ask_of)
        for widget, name in (
            (self._answer, "photoAnswer"),
            (self._name, "photoName"),
            (self._why, "whyButton"),
            (self._reason, "reasonCaption"),
            (self._failure, "predictionError"),
            (self._table, "predictions"),
        ):
            widget.setObjectName(prefix + (name[0].upper() + name[1:] if prefix else name))
        self._lay_out()
        self.show_photo(None)

    def _lay_out(self) -> None:
        self._name_row = QWidget()
        row = QHBoxLayout(self._name_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._name, 1)
        row.addWidget(self._place)
        row.addWidget(self._why)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (
            self._answer,
            self._name_row,
            self._busy,
            self._failure,
            self._reason,
            self._table,
        ):
            column.addWidget(widget)

    def show_photo(self, shown: PhotoAnswer | None, place: str = "") -> None:
        """Shows what is known of a photo by now; None for no photo. `place` says where it stands
        among others."""
        if shown is None or self._shown is None or shown.path != self._shown.path:
            self._row, self._requested = 0, None
        self._shown = shown
        predicted = shown.predicted if shown else None
        failure = shown.failure if shown else ""
        self._answer.setVisible(predicted is not None)
        self._answer.setText(_answer_text(predicted) if predicted else "")
        self._name_row.setVisible(shown is not None)
        self._busy.setVisible(shown is not None and not predicted and not failure)
        self._failure.setVisible(bool(failure))
        self._failure.setText(failure)
        self._table.setVisible(shown is not None and not failure)
        self._table.show_predictions(predicted.predictions if predicted else ())
        if shown:
            self._answer.setToolTip(escape_tooltip(self._answer.text()))
            self._name.setText(Path(shown.path).name)
            self._name.setToolTip(escape_tooltip(shown.path))
            self._place.setText(place)
        self._why.setEnabled(predicted is not None)
        self._explain()

    def retry_explanation(self) -> None:
        """After an explanation was cancelled: requests it again, if "Why?" is still on."""
        self._requested = None
        self._explain()

    @Slot(int)
    def _ask_of(self, row: int) -> None:
        self._row = row
        if self._why.isChecked():
            self._explain()
        elif self._why.isEnabled():
            self._why.setChecked(True)

    @Slot()
    def _explain(self) -> None:
        """Shows the photo; while "Why?" is on, with the heatmap of a prediction, which is asked
        for if it is not computed yet."""
        shown = self._shown
        wanted = shown is not None and shown.predicted is not None and self._why.isChecked()
        heatmaps = shown.heatmaps if shown and wanted else ()
        heatmap = heatmaps[self._row] if self._row < len(heatmaps) else ()
        self._reason.setVisible(wanted)
        self._table.mark(self._row if wanted else None)
        if shown and wanted:
            self._reason.setText(self._reason_for(shown))
        self._view.show_picture(shown.path if shown else "", heatmap)
        if shown and wanted and shown.can_be_explained and shown.predicted != self._requested:
            self._requested = shown.predicted
            self.explanation_requested.emit(shown)

    def _reason_for(self, shown: PhotoAnswer) -> str:
        assert shown.predicted is not None
        if shown.why_not:
            return shown.why_not
        if self._row >= len(shown.predicted.predictions):
            return ""
        label = shown.predicted.predictions[self._row].name
        if self._row >= len(shown.heatmaps):
            return tr("Finding what speaks for {label}…", label=label)
        if any(value > 0 for row in shown.heatmaps[self._row] for value in row):
            return tr("Bright: what speaks for {label}.", label=label)
        return tr("Nothing in the image speaks for {label}.", label=label)


def _answer_text(predicted: Predicted) -> str:
    """The likeliest class and its probability: "Tulip, 96%"."""
    best = predicted.predictions[0]
    name = best.name[:1].upper() + best.name[1:]
    return tr("{label}, {probability}", label=name, probability=percent(best.probability))
