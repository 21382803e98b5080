"""Many photos whose classes nobody knows, with what a network predicts for them."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QLabel,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.batch_prediction.action_bar import ActionBar
from flowergui.desktop.batch_prediction.filter_bar import FilterBar
from flowergui.desktop.batch_prediction.photo_filter import PhotoFilter, PhotoGroup
from flowergui.desktop.batch_prediction.photo_model import PhotoModel
from flowergui.desktop.batch_prediction.photo_views import PhotoGrid, PhotoTable
from flowergui.desktop.context_menus.drag_out import is_own_drag
from flowergui.desktop.context_menus.photo_menu import PhotoMenu
from flowergui.desktop.prediction.answer_view import AnswerView
from flowergui.desktop.prediction.path_sorter import local_paths
from flowergui.desktop.prediction.photo_answer import PhotoAnswer
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.desktop.widgets.card import Card, WrappingRow
from flowergui.desktop.widgets.file_dialogs import choose_folder
from flowergui.desktop.widgets.file_manager import folder_of, show_folder
from flowergui.desktop.widgets.labels import ElidedLabel, escape_tooltip, quiet_button
from flowergui.desktop.widgets.photo_view import PhotoView
from flowergui.desktop.widgets.windows import (
    LastingDialog,
    ScrollingRows,
    resize_within_screen,
)
from flowergui.events import Explained, PhotosFound, Predicted, PredictionFailed
from flowergui.text import sentences, tr, trn
from flowergui.wording import left_out_text

MIN_PHOTO_PX = QSize(200, 190)


class BatchWindow(LastingDialog):
    """Shows photos as they are predicted, and asks for what is to be done with them; does not block
    the window that it belongs to."""

    paths_requested = Signal(object)
    """The user wants these photos, and those in these folders (list[str]), to be predicted."""
    rerun_requested = Signal()
    """The user wants the same photos predicted by the network that predicts now."""
    explanation_requested = Signal(object)
    """The user wants to see why this PhotoAnswer was predicted so."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("batchWindow")
        self.setWindowTitle(tr("Classify many images"))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.setAcceptDrops(True)
        self.photos = PhotoModel(self)
        self._current = ""  # the path of the photo that the user looks at
        self._finished = False
        self._checkpoint = self._name = ""
        self._left_out: Sequence[str] = ()
        self._filters = FilterBar()
        self._filters.filter_changed.connect(self._filter)
        self._filters.view_changed.connect(self._show_view)
        self.action_bar = ActionBar()
        self._grid = PhotoGrid(self.photos)
        self._table = PhotoTable(self.photos, self._grid.thumbnails)
        for view in (self._grid, self._table):
            view.chosen.connect(self._look)
        self._shown_view: PhotoGrid | PhotoTable = self._grid
        self._views = QStackedWidget()
        self._views.addWidget(self._grid)
        self._views.addWidget(self._table)
        self._lay_out()
        self.photos.modelReset.connect(self._choose_current)
        self.action_bar.busy_changed.connect(self._show_head)
        theme.signals.changed.connect(self._recolor)
        self._show_head()

    def _lay_out(self) -> None:
        left = Card()
        left.body.addWidget(self._filters)
        left.body.addWidget(self._views, 1)
        left.body.addWidget(self.action_bar)
        self._both = both = QSplitter(Qt.Orientation.Horizontal)
        both.setHandleWidth(theme.SPACE)
        both.setChildrenCollapsible(False)
        for card, stretch in ((left, 1), (self._make_detail(), 0)):
            both.addWidget(card)
            both.setStretchFactor(both.indexOf(card), stretch)
        rows = ScrollingRows(self).rows
        rows.addWidget(self._make_head())
        rows.addWidget(both, 1)
        line = self.fontMetrics().height()
        resize_within_screen(self, 76 * line, 46 * line)
        both.setSizes([54 * line, 22 * line])
        self._grid.setFocus()

    def _make_head(self) -> WrappingRow:
        self._sentence = QLabel()
        self._sentence.setObjectName("batchSentence")
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        theme.style(self._sentence, role="title")
        theme.tabular(self._sentence)
        self._subject = ElidedLabel()
        self._subject.setObjectName("batchSubject")
        theme.style(self._subject, role="caption")
        others = quiet_button(tr("Another folder…"), "otherFolderButton")
        others.setToolTip(tr("Predict all images in a folder and below it."))
        others.clicked.connect(self.ask_for_folder)
        self._again = quiet_button(tr("Predict again"), "predictAgainButton")
        self._again.setToolTip(tr("Predict these images with the network that predicts now."))
        self._again.clicked.connect(self.rerun_requested)
        said = QWidget()
        sentences = QVBoxLayout(said)
        sentences.setContentsMargins(0, 0, 0, 0)
        sentences.setSpacing(2)
        sentences.addWidget(self._sentence)
        sentences.addWidget(self._subject)
        row = WrappingRow(spacing=theme.SPACE, fills=True)
        row.add((said,), (others, self._again))
        return row

    def _make_detail(self) -> Card:
        card = Card()
        self._view = view = PhotoView()
        view.setMinimumSize(MIN_PHOTO_PX)
        PhotoMenu(view, lambda place: view.path)
        self._answer = AnswerView(view, prefix="batch")
        self._answer.explanation_requested.connect(self.explanation_requested)
        self._show_place = quiet_button(tr("Show in its folder"), "batchFolderButton", flush=True)
        self._show_place.clicked.connect(self._open_folder)
        card.body.addWidget(view, 1)
        card.body.addWidget(self._answer)
        card.body.addWidget(self._show_place)
        return card

    # --- for its controller ---------------------------------------------------------------

    def begin(self, checkpoint: str, name: str) -> None:
        """Photos are looked for, to be predicted by this checkpoint, which people know by this name
        (both "" for none yet)."""
        self._checkpoint, self._name, self._finished = checkpoint, name, False
        self.action_bar.begin()
        self.show_found(PhotosFound((), ()))

    def show_found(self, event: PhotosFound) -> None:
        """These photos will be predicted; they replace those before. Files are read anew."""
        self._left_out = [left_out_text(each) for each in event.problems]
        self._current = ""
        self._answer.show_photo(None)
        self._grid.thumbnails.forget()
        self._view.forget_pictures()
        self.photos.show_photos(event.photos)
        self._show_counts()

    def show_predictions(self, events: Iterable[Predicted | PredictionFailed]) -> None:
        """More photos are predicted, or can't be read."""
        self.photos.put(events)
        if self._current:
            self._show_current()
        else:
            self._choose_current()
        self._show_counts()

    def show_explained(self, event: Explained) -> None:
        """The heatmaps of a photo are computed."""
        self.photos.put_explained(event)
        self._show_current()

    def show_not_explained(self, path: str, why_not: str) -> None:
        """A photo can have no heatmaps, and why."""
        self.photos.put_not_explained(path, why_not)
        self._show_current()

    def end(self) -> None:
        """No more photos will be predicted: the order of those that came is made anew."""
        self._finished = True
        self.action_bar.end()
        if self.photos.needs_rearranging():
            self.photos.rearrange()
        self._show_all()

    @property
    def is_finished(self) -> bool:
        """Whether no more predictions will come."""
        return self._finished

    @property
    def waiting(self) -> int:
        """How many photos are not predicted yet."""
        return self.photos.counts[PhotoGroup.WAITING, ""]

    def predicted(self) -> list[Predicted]:
        """The predictions of the photos that are shown, in their order."""
        return [each.predicted for each in self.photos.shown() if each.predicted]

    def retry_explanation(self) -> None:
        """See AnswerView."""
        self._answer.retry_explanation()

    @Slot()
    def ask_for_folder(self) -> None:
        """Asks for a folder of photos."""
        choose_folder(
            self,
            tr("Choose a folder of images"),
            "",
            lambda folder: self.paths_requested.emit([folder]),
        )

    # --- what it shows --------------------------------------------------------------------

    @Slot(object)
    def _filter(self, wanted: PhotoFilter) -> None:
        self.photos.set_filter(wanted)
        self._show_all()

    @Slot(int)
    def _show_view(self, number: int) -> None:
        self._shown_view = self._table if number else self._grid
        self._choose_current()  # first: a view without a current row takes the first one
        self._views.setCurrentWidget(self._shown_view)
        self._shown_view.setFocus()

    def _show_all(self) -> None:
        """After the rows are others: views have forgotten which is the current one."""
        self._choose_current()
        self._show_counts()

    @Slot()
    def _choose_current(self) -> None:
        row = max(self.photos.row_of(self._current), 0)
        if row < self.photos.rowCount():
            self._shown_view.choose(row)
        else:
            self._current = ""
            self._answer.show_photo(None)
            self._show_place.hide()

    def _show_counts(self) -> None:
        self._filters.show_counts(self.photos.counts)
        self.action_bar.show_count(self.photos.predicted_rows)
        self._show_head()

    @Slot()
    def _show_head(self) -> None:
        counts, total = self.photos.counts, len(self.photos.photos)
        waiting, unread = counts[PhotoGroup.WAITING, ""], counts[PhotoGroup.UNREADABLE, ""]
        done = total - waiting
        if not total:
            text = tr("No images") if self._finished else tr("Looking for images…")
        elif waiting:
            text = trn(
                "{done} of {count} image predicted",
                "{done} of {count} images predicted",
                total,
                done=f"{done:,}",
            )
        else:
            text = trn("{count} image predicted", "{count} images predicted", done - unread)
        self._sentence.setText(text)
        by = tr("Predicted by {checkpoint}.", checkpoint=self._name)
        subject = [by] if self._checkpoint else []
        if unread:
            subject.append(
                trn("{count} image can't be read.", "{count} images can't be read.", unread)
            )
        self._subject.setText(sentences(*subject))
        self._subject.setToolTip(escape_tooltip("\n".join([self._checkpoint, *self._left_out])))
        self._again.setEnabled(self._finished and bool(total) and not self.action_bar.is_busy)

    def _show_current(self) -> None:
        if (photo := self.photos.photo(self._current)) is not None:
            self._answer.show_photo(photo)

    @Slot(object)
    def _look(self, photo: PhotoAnswer) -> None:
        self._current = photo.path
        self._show_place.show()
        self._answer.show_photo(photo)

    @Slot()
    def _open_folder(self) -> None:
        if self._current and (problem := show_folder(folder_of(self._current))):
            self.action_bar.show_note(problem, is_error=True)

    @Slot(object)
    def _recolor(self, look: Theme) -> None:
        for view in (self._grid, self._table):
            view.viewport().update()

    # --- what is dropped ------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()) and not is_own_drag(event, self):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.paths_requested.emit(local_paths(event.mimeData()))
