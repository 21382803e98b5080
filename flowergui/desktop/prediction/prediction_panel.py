"""What flower is it? Photos, the network's guesses, and who answered."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flowergui.desktop.prediction.answer_view import AnswerView
from flowergui.desktop.prediction.drop_zone import DropZone
from flowergui.desktop.prediction.photo_strip import PhotoAnswer, PhotoStrip
from flowergui.desktop.run_names import spoken
from flowergui.desktop.widgets.card import Card, quiet_button, small_label
from flowergui.events import Explained, Predicted, PredictionFailed


class PredictionPanel(Card):
    """Takes photos and shows what the network makes of them."""

    images_dropped = Signal(list)
    """The user wants to know what is on these pictures (list[str])."""
    checkpoint_dropped = Signal(str)
    """The user wants this checkpoint to answer."""
    folder_dropped = Signal(str)
    """The user dropped a folder here; it is meant for the photos panel."""
    evaluation_requested = Signal()
    """The user wants to know how well the network that answers does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Which flower?", parent)
        self._answers = "", ""
        self._zone = DropZone()
        self._zone.images_dropped.connect(self.images_dropped)
        self._zone.checkpoint_dropped.connect(self.checkpoint_dropped)
        self._zone.folder_dropped.connect(self.folder_dropped)
        self._make_buttons()
        self.body.addWidget(self._zone, 1)
        self._make_strip()
        self._make_answer()
        shortcut = QShortcut(QKeySequence.StandardKey.Paste, self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self._zone.paste)
        self._show(None)

    # --- for the window -------------------------------------------------------------------

    @Slot()
    def paste(self) -> None:
        """Takes a picture or files from the clipboard, as Ctrl+V here does."""
        self._zone.paste()

    @Slot(list)
    def show_waiting(self, paths: Sequence[str]) -> None:
        """These photos are being looked at; they replace those before."""
        self._strip.show_photos(paths)
        self._show(self._strip.current)

    @Slot(object)
    def show_prediction(self, guessed: Predicted) -> None:
        """A photo is answered; one that nobody waits for is shown by itself."""
        self._answer(PhotoAnswer(guessed.path, predicted=guessed))

    @Slot(object)
    def show_explained(self, explained: Explained) -> None:
        """What speaks for the guesses of a photo that was answered."""
        row = self._strip.row_of(explained.path)
        if row >= 0:
            self._answer(replace(self._strip.photos()[row], heatmaps=explained.heatmaps))

    @Slot(object)
    def show_failed(self, failed: PredictionFailed) -> None:
        """A photo can't be read."""
        self._answer(PhotoAnswer(failed.path, failure=failed.reason))

    @Slot()
    def show_no_model(self) -> None:
        """There is no checkpoint that could answer."""
        for shown in [shown for shown in self._strip.photos() if not shown.predicted]:
            self._strip.put(replace(shown, failure="No network has been trained yet."))
        self._who("Train a network first, or drop a checkpoint (.pth) here.")
        self._show(self._strip.current)

    @Slot(str)
    def set_checkpoint(self, path: str) -> None:
        """Which checkpoint will answer; "" for none yet."""
        self._who(f"{spoken(path)} answers." if path else "", path)
        self._mistakes.setEnabled(bool(path))

    # --- its parts ------------------------------------------------------------------------

    def _make_buttons(self) -> None:
        browse = quiet_button("Browse…", "browsePhotosButton")
        browse.setToolTip("Choose photos to look at")
        browse.clicked.connect(self._zone.browse)
        paste = quiet_button("Paste", "pasteButton")
        paste.setToolTip("A picture or files from the clipboard (Ctrl+V)")
        paste.clicked.connect(self._zone.paste)
        self.head.addWidget(browse)
        self.head.addWidget(paste)

    def _make_strip(self) -> None:
        self._strip = PhotoStrip()
        self._strip.chosen.connect(self._show)
        self.body.addWidget(self._strip)

    def _make_answer(self) -> None:
        self._answer_view = AnswerView(self._zone)
        self._checkpoint = small_label()
        self._checkpoint.setObjectName("checkpointCaption")
        # A splitter asks for the least height without asking for which width: three lines it is.
        self._checkpoint.ensurePolished()  # the stylesheet makes its font smaller
        self._checkpoint.setMinimumHeight(3 * self._checkpoint.fontMetrics().lineSpacing())
        self._checkpoint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._mistakes = quiet_button("Mistakes…", "mistakesButton")
        self._mistakes.setToolTip("See which photos this network mistakes, and for what.")
        self._mistakes.clicked.connect(self.evaluation_requested)
        self._mistakes.setEnabled(False)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self._answer_view)
        row = QHBoxLayout()
        row.addWidget(self._checkpoint, 1)
        row.addWidget(self._mistakes, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        self.body.addLayout(column)

    # --- what it shows --------------------------------------------------------------------

    @Slot(object)
    def _show(self, shown: PhotoAnswer | None) -> None:
        place, count = self._strip.row_of(shown.path) + 1 if shown else 0, len(self._strip.photos())
        self._answer_view.show_photo(shown, f"{place:,} of {count:,}" if count > 1 else "")
        guessed = shown.predicted if shown else None
        if guessed:
            epoch = f", epoch {guessed.epoch:,}" if guessed.epoch else ""
            self._checkpoint.setText(f"Answered by {spoken(guessed.checkpoint)}{epoch}.")
            self._checkpoint.setToolTip(guessed.checkpoint)
        elif shown and shown.failure:
            self._who(*self._answers)

    def _who(self, text: str, path: str = "") -> None:
        """Says who answers now."""
        self._answers = text, path
        self._checkpoint.setText(text)
        self._checkpoint.setToolTip(path)

    def _answer(self, shown: PhotoAnswer) -> None:
        if self._strip.row_of(shown.path) < 0:
            self.show_waiting([shown.path])
        self._strip.put(shown)
        current = self._strip.current
        if current and current.path == shown.path:
            self._show(shown)
