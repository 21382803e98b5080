"""What flower is it? Photos, the network's guesses, and who answered."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from flowergui.desktop import theme
from flowergui.desktop.card import Card, ElidedLabel, quiet_button, small_label
from flowergui.desktop.drop_zone import DropZone
from flowergui.desktop.guess_table import GuessTable
from flowergui.desktop.photo_strip import PhotoStrip, Shown
from flowergui.desktop.resumable import when
from flowergui.events import Explained, Guessed, GuessFailed


class PredictionPanel(Card):
    """Takes photos and shows what the network makes of them."""

    images_dropped = Signal(list)
    """The user wants to know what is on these pictures (list[str])."""
    checkpoint_dropped = Signal(str)
    """The user wants this checkpoint to answer."""
    folder_dropped = Signal(str)
    """The user dropped a folder here; it is meant for the photos panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Which flower?", parent)
        self._answers = "", ""
        self._guess = 0  # the row of the guess that "Why?" is about
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
    def show_guess(self, guessed: Guessed) -> None:
        """A photo is answered; one that nobody waits for is shown by itself."""
        self._answer(Shown(guessed.path, guessed=guessed))

    @Slot(object)
    def show_explained(self, explained: Explained) -> None:
        """What speaks for the guesses of a photo that was answered."""
        row = self._strip.row_of(explained.path)
        if row >= 0:
            self._answer(replace(self._strip.photos()[row], heats=explained.heats))

    @Slot(object)
    def show_failed(self, failed: GuessFailed) -> None:
        """A photo can't be read."""
        self._answer(Shown(failed.path, failure=failed.reason))

    @Slot()
    def show_no_model(self) -> None:
        """There is no checkpoint that could answer."""
        for shown in [shown for shown in self._strip.photos() if not shown.guessed]:
            self._strip.put(replace(shown, failure="No network has been trained yet."))
        self._who("Train a network first, or drop a checkpoint (.pth) here.")
        self._show(self._strip.current)

    @Slot(str)
    def set_checkpoint(self, path: str) -> None:
        """Which checkpoint will answer; "" for none yet."""
        self._who(f"{spoken(path)} answers." if path else "", path)

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
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._name.setObjectName("photoName")
        theme.style(self._name, role="heading")
        self._place = QLabel()
        theme.style(self._place, role="caption")
        self._why = quiet_button("Why?", "whyButton")
        self._why.setCheckable(True)
        self._why.setToolTip("Light up what speaks for a guess. Click a guess to see what does.")
        self._why.toggled.connect(self._ask_why)
        theme.style(self._why, role="segment")
        self._reason = small_label()
        self._reason.setObjectName("reasonCaption")
        self._name_row = QWidget()
        row = QHBoxLayout(self._name_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._name, 1)
        row.addWidget(self._place)
        row.addWidget(self._why)
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setAccessibleName("Looking at the photo")
        theme.style(self._busy, slim=True)
        self._failure = small_label("error")
        self._failure.setObjectName("guessError")
        self._table = GuessTable()
        self._table.chosen.connect(self._ask_of)
        self._checkpoint = small_label()
        self._checkpoint.setObjectName("checkpointCaption")
        # A splitter asks for the least height without asking for which width: two lines it is.
        self._checkpoint.setMinimumHeight(2 * self._checkpoint.fontMetrics().lineSpacing())
        self._checkpoint.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(6)
        for widget in (
            self._name_row,
            self._busy,
            self._failure,
            self._reason,
            self._table,
            self._checkpoint,
        ):
            column.addWidget(widget)
        self.body.addLayout(column)

    # --- what it shows --------------------------------------------------------------------

    @Slot(object)
    def _show(self, shown: Shown | None) -> None:
        if shown is None or shown.path != self._zone.path:
            self._guess = 0
        self._light(shown)
        self._name_row.setVisible(shown is not None)
        guessed = shown.guessed if shown else None
        failure = shown.failure if shown else ""
        self._busy.setVisible(shown is not None and not guessed and not failure)
        self._failure.setVisible(bool(failure))
        self._failure.setText(failure)
        self._table.setVisible(shown is not None and not failure)
        self._table.show_guesses(guessed.guesses if guessed else ())
        if shown:
            name = Path(shown.path).name
            self._name.setText(name)
            self._name.setToolTip(shown.path)
            place, count = self._strip.row_of(shown.path) + 1, len(self._strip.photos())
            self._place.setText(f"{place:,} of {count:,}" if count > 1 else "")
        if guessed:
            epoch = f", epoch {guessed.epoch:,}" if guessed.epoch else ""
            self._checkpoint.setText(f"Answered by {spoken(guessed.checkpoint)}{epoch}.")
            self._checkpoint.setToolTip(guessed.checkpoint)
        elif failure:
            self._who(*self._answers)

    def _who(self, text: str, path: str = "") -> None:
        """Says who answers now."""
        self._answers = text, path
        self._checkpoint.setText(text)
        self._checkpoint.setToolTip(path)

    @Slot(bool)
    def _ask_why(self, on: bool) -> None:
        self._light(self._strip.current)

    @Slot(int)
    def _ask_of(self, row: int) -> None:
        self._guess = row
        if self._why.isChecked():
            self._light(self._strip.current)
        elif self._why.isEnabled():
            self._why.setChecked(True)

    def _light(self, shown: Shown | None) -> None:
        """Shows the photo; lit, where the user wants to know why."""
        heats = shown.heats if shown else ()
        self._why.setEnabled(bool(heats))
        heat = heats[self._guess] if self._why.isChecked() and self._guess < len(heats) else ()
        self._reason.setVisible(bool(heat))
        if heat and shown and shown.guessed:
            name = shown.guessed.guesses[self._guess].name
            some = any(value > 0 for row in heat for value in row)
            what = "Bright: what speaks for" if some else "Nothing in the photo speaks for"
            self._reason.setText(f"{what} {name}.")
        self._zone.show_picture(shown.path if shown else "", heat)

    def _answer(self, shown: Shown) -> None:
        if self._strip.row_of(shown.path) < 0:
            self.show_waiting([shown.path])
        self._strip.put(shown)
        current = self._strip.current
        if current and current.path == shown.path:
            self._show(shown)


def spoken(checkpoint: str) -> str:
    """A checkpoint as a person names it: best.pth of 2026-11-23 14:05 resnet18 scratch."""
    path = Path(checkpoint)
    words, began = path.parent.name.split("_"), when(path.parent.name)
    if len(words) >= 4:
        # <date>_<time>_<model>_<mode>, and the model's own name may hold underscores.
        return f"{path.name} of {began or words[0]} {'_'.join(words[2:-1])} {words[-1]}"
    return f"{path.name} of {path.parent.name}" if path.parent.name else path.name
