"""What the network makes of one photo, and why."""

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from flowergui.desktop.prediction.photo_strip import PhotoAnswer
from flowergui.desktop.prediction.prediction_table import PredictionTable
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import ElidedLabel, escape_tooltip, quiet_button, small_label
from flowergui.desktop.widgets.photo_view import PhotoView


class AnswerView(QWidget):
    """The name of a photo and the guesses, and "Why?", which lights the photo up in `view`. The
    names of its widgets begin with `prefix`."""

    def __init__(self, view: PhotoView, parent: QWidget | None = None, *, prefix: str = "") -> None:
        super().__init__(parent)
        self._view = view
        self._shown: PhotoAnswer | None = None
        self._guess = 0  # the row of the guess that "Why?" is about
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        theme.style(self._name, role="heading")
        self._place = QLabel()
        theme.style(self._place, role="caption")
        self._why = quiet_button("Why?", "")
        self._why.setCheckable(True)
        self._why.setToolTip("Light up what speaks for a guess. Click a guess to see what does.")
        self._why.toggled.connect(self._light)
        theme.style(self._why, role="segment")
        self._reason = small_label()
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setAccessibleName("Looking at the photo")
        theme.style(self._busy, slim=True)
        self._failure = small_label("error")
        self._table = PredictionTable()
        self._table.chosen.connect(self._ask_of)
        for widget, name in (
            (self._name, "photoName"),
            (self._why, "whyButton"),
            (self._reason, "reasonCaption"),
            (self._failure, "guessError"),
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
        for widget in (self._name_row, self._busy, self._failure, self._reason, self._table):
            column.addWidget(widget)

    def show_photo(self, shown: PhotoAnswer | None, place: str = "") -> None:
        """Shows what is known of a photo by now; None for no photo. `place` says where it stands
        among others."""
        if shown is None or self._shown is None or shown.path != self._shown.path:
            self._guess = 0
        self._shown = shown
        self._light()
        self._name_row.setVisible(shown is not None)
        guessed = shown.predicted if shown else None
        failure = shown.failure if shown else ""
        self._busy.setVisible(shown is not None and not guessed and not failure)
        self._failure.setVisible(bool(failure))
        self._failure.setText(failure)
        self._table.setVisible(shown is not None and not failure)
        self._table.show_predictions(guessed.predictions if guessed else ())
        if shown:
            self._name.setText(Path(shown.path).name)
            self._name.setToolTip(escape_tooltip(shown.path))
            self._place.setText(place)

    @Slot(int)
    def _ask_of(self, row: int) -> None:
        self._guess = row
        if self._why.isChecked():
            self._light()
        elif self._why.isEnabled():
            self._why.setChecked(True)

    @Slot()
    def _light(self) -> None:
        """Shows the photo; lit, where the user wants to know why."""
        shown = self._shown
        heats = shown.heatmaps if shown else ()
        self._why.setEnabled(bool(heats))
        heat = heats[self._guess] if self._why.isChecked() and self._guess < len(heats) else ()
        self._reason.setVisible(bool(heat))
        if heat and shown and shown.predicted:
            name = shown.predicted.predictions[self._guess].name
            some = any(value > 0 for row in heat for value in row)
            what = "Bright: what speaks for" if some else "Nothing in the photo speaks for"
            self._reason.setText(f"{what} {name}.")
        self._view.show_picture(shown.path if shown else "", heat)
