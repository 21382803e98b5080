"""Photos that the user dropped, the network's predictions, and which checkpoint made them."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from flowergui.desktop.prediction.answer_view import AnswerView
from flowergui.desktop.prediction.drop_zone import DropZone
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.prediction.photo_strip import PhotoStrip
from flowergui.desktop.run_names import checkpoint_label
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card, WrappingRow
from flowergui.desktop.widgets.labels import quiet_button, reserve_lines, small_label
from flowergui.events import Explained, Predicted, PredictionFailed
from flowergui.facts import RunFacts
from flowergui.text import tr

HEAD_PX = 230
"""Pixels to which the panel may become narrow before its head needs a second line."""
CAPTION_LINES = 2
"""Lines kept free for which network predicts: the photo above would jump else."""


class PredictionPanel(Card):
    """Takes photos, and shows what the network predicts for them."""

    images_dropped = Signal(object)
    """The user wants these pictures (list[str]) to be predicted."""
    checkpoint_dropped = Signal(object)
    """The user wants this checkpoint to predict."""
    folder_dropped = Signal(object)
    """The user dropped a folder here; it is meant for the dataset."""
    refused = Signal(str)
    """Nothing of what the user dropped or pasted can be used; a sentence says why."""
    left_out = Signal(str)
    """Not all of it can be used; a sentence says what is not."""
    folder_requested = Signal()
    """The user wants all photos of a folder to be predicted."""
    evaluation_requested = Signal()
    """The user wants to know how good the network is that predicts."""
    explanation_requested = Signal(object)
    """The user wants to see why this PhotoAnswer was predicted so."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._next = ""  # the checkpoint that will predict
        self._no_model = False
        self._runs: tuple[RunFacts, ...] = ()
        self._zone = DropZone()
        self._zone.images_dropped.connect(self.images_dropped)
        self._zone.checkpoint_dropped.connect(self.checkpoint_dropped)
        self._zone.folder_dropped.connect(self.folder_dropped)
        self._zone.refused.connect(self.refused)
        self._zone.left_out.connect(self.left_out)
        self._make_head()
        self.body.addWidget(self._zone, 1)
        self._make_strip()
        self._make_answer()
        self._show(None)

    # --- for its controller ---------------------------------------------------------------

    @Slot()
    def paste(self) -> None:
        """Takes a picture or files from the clipboard, as Ctrl+V does."""
        self._zone.paste()

    @Slot()
    def browse(self) -> None:
        """Asks for images, or for a checkpoint."""
        self._zone.browse()

    def invite(self, inviting: bool) -> None:
        """Whether the place for images is to catch the eye while there are none."""
        self._zone.invite(inviting)

    @property
    def photos(self) -> tuple[PhotoAnswer, ...]:
        """The photos that are shown, with what is known of each."""
        return tuple(self._strip.photos())

    @Slot(object)
    def show_waiting(self, paths: Sequence[str]) -> None:
        """These photos will be predicted; they replace those before. A file that was edited since
        it was shown is read again."""
        self._zone.forget_pictures()
        self._strip.show_photos(paths)
        self._show(self._strip.current)

    @Slot(object)
    def show_prediction(self, predicted: Predicted) -> None:
        """A photo is predicted; one that is not there is shown alone."""
        row = self._strip.row_of(predicted.path)
        if row < 0 or self._strip.photos()[row].predicted != predicted:  # else its heatmaps stay
            self._put(PhotoAnswer(predicted.path, predicted=predicted))

    def retry_explanation(self) -> None:
        """See AnswerView."""
        self._answer_view.retry_explanation()

    @Slot(object)
    def show_explained(self, explained: Explained) -> None:
        """The heatmaps of a photo that was predicted, or that it can have none."""
        row = self._strip.row_of(explained.path)
        if row >= 0:
            self._put(self._strip.photos()[row].with_explanation(explained))

    def show_not_explained(self, path: str, why_not: str) -> None:
        """A photo that was predicted can have no heatmaps, and why."""
        row = self._strip.row_of(path)
        if row >= 0:
            self._put(replace(self._strip.photos()[row], why_not=why_not))

    @Slot(object)
    def show_failed(self, failed: PredictionFailed) -> None:
        """A photo can't be read."""
        self._put(PhotoAnswer(failed.path, failure=failed.reason))

    @Slot()
    def show_no_model(self) -> None:
        """There is no checkpoint that could predict the photos that wait."""
        self._no_model = True
        for shown in [each for each in self._strip.photos() if not each.predicted]:
            self._strip.put(replace(shown, failure=tr("No network has been trained yet.")))
        self._show(self._strip.current)

    def wait_again(self) -> tuple[str, ...]:
        """The photos without a prediction wait for one; gives their paths."""
        paths = tuple(each.path for each in self._strip.photos() if not each.predicted)
        for path in paths:
            self._put(PhotoAnswer(path))
        return paths

    @Slot(str)
    def set_checkpoint(self, path: str) -> None:
        """Which checkpoint predicts from now on; "" for none yet. Predictions that are shown keep
        the name of the checkpoint that made them."""
        self._next, self._no_model = path, False
        self._evaluation.setEnabled(bool(path))
        self._show_caption(self._strip.current)

    def show_runs(self, runs: tuple[RunFacts, ...]) -> None:
        """The runs on disk, which may have names that people gave them."""
        if runs is not self._runs:
            self._runs = runs
            self._show_caption(self._strip.current)

    # --- its parts ------------------------------------------------------------------------

    def _make_head(self) -> None:
        browse = quiet_button(tr("Browse…"), "browsePhotosButton")
        browse.setToolTip(tr("Choose images to classify"))
        browse.clicked.connect(self._zone.browse)
        paste = quiet_button(tr("Paste"), "pasteButton")
        paste.setToolTip(tr("A picture or files from the clipboard (Ctrl+V)"))
        paste.clicked.connect(self._zone.paste)
        title = QLabel(tr("Predictions"))
        theme.style(title, role="title")
        head = WrappingRow(spacing=theme.SPACE // 2, least_width=HEAD_PX)
        head.add((title,), (browse, paste))
        self.body.addWidget(head)

    def _make_strip(self) -> None:
        self._strip = PhotoStrip()
        self._strip.chosen.connect(self._show)
        self.body.addWidget(self._strip)

    def _make_answer(self) -> None:
        self._answer_view = AnswerView(self._zone)
        self._answer_view.explanation_requested.connect(self.explanation_requested)
        self._caption = small_label()
        self._caption.setObjectName("checkpointCaption")
        reserve_lines(self._caption, CAPTION_LINES)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._evaluation = quiet_button(tr("Evaluation…"), "evaluationButton", flush=True)
        self._evaluation.setToolTip(
            tr("How accurate this network is, which classes it confuses, and on which images.")
        )
        self._evaluation.clicked.connect(self.evaluation_requested)
        self._evaluation.setEnabled(False)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(self._answer_view)
        many = quiet_button(tr("Many images…"), "predictFolderButton", flush=True)
        many.setToolTip(tr("Classify all images in a folder, and sort them by class."))
        many.clicked.connect(self.folder_requested)
        buttons = WrappingRow(spacing=theme.SPACE, apart=False)
        buttons.add((self._evaluation,), (many,))
        column.addWidget(self._caption)
        column.addWidget(buttons)
        self.body.addLayout(column)

    # --- what it shows --------------------------------------------------------------------

    @Slot(object)
    def _show(self, shown: PhotoAnswer | None) -> None:
        count = len(self._strip.photos())
        place = ""
        if shown and count > 1:
            number = self._strip.row_of(shown.path) + 1
            place = tr("{number} of {count}", number=f"{number:,}", count=f"{count:,}")
        self._answer_view.show_photo(shown, place)
        self._show_caption(shown)

    def _show_caption(self, shown: PhotoAnswer | None) -> None:
        """Names the checkpoint that predicted what is shown, else the one that will predict."""
        predicted = shown.predicted if shown else None
        path = predicted.checkpoint if predicted else self._next
        name = checkpoint_label(path, self._runs)
        if predicted and predicted.epoch:
            epoch = f"{predicted.epoch:,}"
            text = tr("Predicted by {checkpoint}, epoch {epoch}.", checkpoint=name, epoch=epoch)
        elif predicted:
            text = tr("Predicted by {checkpoint}.", checkpoint=name)
        elif path:
            text = tr("Predicts with {checkpoint}.", checkpoint=name)
        elif self._no_model:
            text = tr("Train a network first, or drop a checkpoint (.pth) here.")
        else:
            text = ""
        self._caption.setText(text)
        self._caption.setToolTip(path)

    def _put(self, shown: PhotoAnswer) -> None:
        if self._strip.row_of(shown.path) < 0:
            self.show_waiting([shown.path])
        self._strip.put(shown)
        current = self._strip.current
        if current and current.path == shown.path:
            self._show(shown)
