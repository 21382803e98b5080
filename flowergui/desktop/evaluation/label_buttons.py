"""What can be done with a photo whose label is wrong: another class, or no class at all."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from flowergui.desktop.accessibility import announce
from flowergui.desktop.evaluation.class_dialog import ClassDialog
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import WrappingRow
from flowergui.desktop.widgets.labels import escape_tooltip, quiet_button, small_label
from flowergui.events import PhotoEvaluated
from flowergui.store.archives import archive_of
from flowergui.text import N_, tr

ARCHIVE_TIP = N_(
    "This image is in an archive, which is never changed. To correct labels, unpack it and open "
    "the folder."
)

LEAST_WIDTH = 200
"""Pixels that a button with the name of a class may ask for; longer names are shortened."""
MAX_IN_MENU = 40
"""Classes that a menu lists; more of them are searched in a dialog."""
MENU_CHARACTERS = 40
"""How much of a name a menu shows, in average characters."""


class LabelButtons(QWidget):
    """Asks for the corrected label of a photo, or for it to be left out, and to undo that."""

    label_requested = Signal(str)
    """The user wants the photo in the folder of this class; "" for out of the dataset."""
    undo_requested = Signal()
    """The user wants the last correction undone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._photo: PhotoEvaluated | None = None
        self._asked_about: PhotoEvaluated | None = None  # in the dialog
        self._classes: Sequence[str] = ()
        self._predicted = quiet_button("", "moveToPredictedButton", flush=True)
        self._predicted.clicked.connect(self._ask_for_predicted)
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._menu.triggered.connect(self._ask_for)
        self._others = quiet_button(tr("Move to…"), "moveToButton")
        self._others.setMenu(self._menu)
        self._others.clicked.connect(self._ask_in_dialog)
        self._leave_out = quiet_button(tr("Leave out"), "leaveOutButton")
        self._leave_out.clicked.connect(self._ask_to_leave_out)
        self._undo = quiet_button(tr("Undo"), "undoLabelButton")
        self._undo.clicked.connect(self.undo_requested)
        self._note = small_label()
        self._note.setObjectName("labelNote")
        self._predicted.shorten_to(LEAST_WIDTH)  # a class may have any name
        row = WrappingRow(spacing=0, apart=False)
        row.add((self._predicted,), (self._others, self._leave_out))
        said = QHBoxLayout()
        said.addWidget(self._note, 1)
        said.addWidget(self._undo)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(row)
        rows.addLayout(said)
        self.show_corrected("", undoable=False)
        self.show_photo(None, ())

    def show_photo(self, photo: PhotoEvaluated | None, classes: Sequence[str]) -> None:
        """The photo that is looked at, and the classes that there are; None where no label can be
        corrected now. A photo in an archive stays where it is."""
        in_archive = photo is not None and bool(archive_of(photo.path))
        self._photo = None if in_archive else photo
        for button, tip in (
            (self._predicted, tr("Moves the file into the folder of this class.")),
            (self._others, ""),
            (self._leave_out, tr("Moves the file out of the dataset, into a folder beside it.")),
        ):
            button.setEnabled(self._photo is not None)
            button.setToolTip(tr(ARCHIVE_TIP) if in_archive else tip)
        self._predicted.setVisible(photo is not None and not photo.correct)
        if photo is not None:
            self._predicted.setText(tr("Move to {label}", label=photo.predicted).replace("&", "&&"))
        if classes != self._classes:
            self._classes = classes
            self._fill_menu()

    def _fill_menu(self) -> None:
        """Lists the classes in the menu; where there are too many, the button has none."""
        many = len(self._classes) > MAX_IN_MENU
        # None takes the menu away, which PySide6's types do not know.
        self._others.setMenu(None if many else self._menu)  # type: ignore[arg-type]
        self._menu.clear()
        metrics = self._menu.fontMetrics()
        width = MENU_CHARACTERS * metrics.averageCharWidth()
        for name in () if many else self._classes:
            text = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, width)
            action = self._menu.addAction(text.replace("&", "&&"))
            action.setToolTip(escape_tooltip(name))
            action.setData(name)

    def show_corrected(self, text: str, *, undoable: bool) -> None:
        """What has become of the last photo, and whether that can be undone."""
        self._note.setText(text)
        announce(self, text)
        self._undo.setVisible(undoable)

    @property
    def says_something(self) -> bool:
        """Whether it says what has become of a photo, or offers to undo that."""
        return bool(self._note.text()) or not self._undo.isHidden()

    @Slot()
    def _ask_for_predicted(self) -> None:
        if self._photo is not None:
            self.label_requested.emit(self._photo.predicted)

    @Slot(QAction)
    def _ask_for(self, action: QAction) -> None:
        self._ask_for_class(action.data())

    def _ask_for_class(self, name: str) -> None:
        if self._photo is not None and name != self._photo.label:
            self.label_requested.emit(name)

    @Slot()
    def _ask_in_dialog(self) -> None:
        """Asks which class the photo belongs to that is looked at now, if no menu does."""
        if self._others.menu() is not None:
            return
        self._asked_about = self._photo
        dialog = ClassDialog(self._classes, self)
        dialog.class_requested.connect(self._answered)
        theme.fit_to_zoom(dialog)
        dialog.open()

    @Slot(str)
    def _answered(self, name: str) -> None:
        if self._photo is self._asked_about:
            self._ask_for_class(name)

    @Slot()
    def _ask_to_leave_out(self) -> None:
        if self._photo is not None:
            self.label_requested.emit("")
