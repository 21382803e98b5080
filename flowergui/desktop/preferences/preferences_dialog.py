"""The window that asks for the preferences: Edit > Settings."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from flowergui import language
from flowergui.desktop.preferences.preferences import THEME_VARIABLE, ZOOM_STEPS, Preferences
from flowergui.desktop.style import theme
from flowergui.desktop.style.theme import Scheme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.file_dialogs import choose_folder
from flowergui.desktop.widgets.labels import ElidedLabel, escape_tooltip, quiet_button, small_label
from flowergui.desktop.widgets.windows import ScrollingRows, resize_within_screen
from flowergui.events import CacheState
from flowergui.language import NAMES, Language
from flowergui.store.paths import ModelsFolder
from flowergui.text import N_, file_size, tr, trn

SCHEMES = {
    Scheme.SYSTEM: N_("Like the system"),
    Scheme.LIGHT: N_("Light theme"),
    Scheme.DARK: N_("Dark theme"),
}


class PreferencesDialog(QDialog):
    """Shows the preferences, and requests others at once: there is no OK to press."""

    language_requested = Signal(object)
    """The user wants this Language."""
    preferences_requested = Signal(object)
    """The user wants these Preferences."""
    models_folder_requested = Signal(str)
    """The user wants runs in this folder from the next start on; "" for the usual one."""
    models_folder_opened = Signal()
    """The user wants to see the folder of runs in the file manager."""
    cache_clearing_requested = Signal()
    """The user wants to delete the decoded images that are kept on the disk."""
    reset_requested = Signal()
    """The user wants everything here as in a new program."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settingsDialog")
        self.setWindowTitle(tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._preferences = Preferences()
        self._folder: ModelsFolder | None = None
        self._rows = rows = ScrollingRows(self).rows
        rows.addWidget(self._make_appearance())
        rows.addWidget(self._make_files())
        rows.addStretch(1)
        rows.addLayout(self._make_buttons())
        for form in self.findChildren(QFormLayout):
            _center_labels(form)

    # --- its parts ------------------------------------------------------------------------

    def _make_appearance(self) -> Card:
        card = Card(tr("Appearance"))
        form = _form(card)
        languages = ((tr("As the system"), ""), *((NAMES[each], each) for each in NAMES))
        self._language = _choice("languageChoice", languages)
        self._language.activated.connect(self._request_language)
        self._spoken = small_label(
            text=tr("{variable} is set, and decides the language.", variable=language.VARIABLE)
        )
        form.addRow(tr("&Language"), self._language)
        form.addRow("", self._spoken)
        self._theme = _choice("themeChoice", ((tr(SCHEMES[each]), each) for each in SCHEMES))
        self._theme.activated.connect(self._request)
        self._size = _choice("zoomChoice", ((f"{step}%", step) for step in ZOOM_STEPS))
        self._size.activated.connect(self._request)
        self._fixed = small_label(
            text=tr("{variable} is set, and decides the theme.", variable=THEME_VARIABLE)
        )
        form.addRow(tr("&Theme"), self._theme)
        form.addRow("", self._fixed)
        form.addRow(tr("Text and control &size"), self._size)
        return card

    def _make_files(self) -> Card:
        card = Card(tr("Files"))
        form = _form(card)
        self._path = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._path.setObjectName("modelsFolder")
        self._choose = _button(tr("&Change…"), "changeModelsFolder", self._ask_for_folder)
        self._choose.setAccessibleName(tr("Change the folder of runs and weights"))
        opener = _button(tr("&Open"), "openModelsFolder", self.models_folder_opened.emit)
        opener.setAccessibleName(tr("Open the folder of runs and weights"))
        self._next = small_label()
        self._next.setObjectName("nextModelsFolder")
        form.addRow(tr("Runs and weights"), _row(self._path, self._choose, opener))
        form.addRow("", self._next)
        self._cache = ElidedLabel()
        self._cache.setObjectName("cacheSize")
        self._cache.setText(tr("Counting…"))
        self._clear = _button(tr("C&lear…"), "clearCache", self.cache_clearing_requested.emit)
        self._clear.setAccessibleName(tr("Clear the image cache"))
        self._clear.setEnabled(False)
        form.addRow(tr("Image cache"), _row(self._cache, self._clear))
        form.addRow(
            "",
            small_label(
                text=tr("Decoded images that are kept to start faster. Your own files stay.")
            ),
        )
        self._problem = small_label("error")
        self._problem.setObjectName("settingsProblem")
        self._problem.hide()
        card.body.addWidget(self._problem)
        return card

    def _make_buttons(self) -> QHBoxLayout:
        reset = quiet_button(tr("&Reset…"), "resetSettings")
        reset.clicked.connect(self.reset_requested)
        close = QPushButton(tr("Close"))
        close.clicked.connect(self.close)
        close.setDefault(True)
        row = QHBoxLayout()
        row.addWidget(reset)
        row.addStretch(1)
        row.addWidget(close)
        return row

    # --- for its controller ---------------------------------------------------------------

    def fit(self) -> None:
        """Takes the room that is needed by what is shown now."""
        theme.fit_to_zoom(self)
        width = 36 * self.fontMetrics().height()
        self._rows.activate()
        resize_within_screen(self, width, self._rows.totalHeightForWidth(width))

    def _say(self, label: QLabel, text: str) -> None:
        """Shows a text, for which the window takes more room if it needs that."""
        is_new = text != label.text()
        label.setText(text)
        label.setVisible(bool(text))
        if not (text and is_new):
            return
        self._rows.activate()
        needed = self._rows.totalHeightForWidth(self.width())
        if needed > self.height():
            resize_within_screen(self, self.width(), needed)

    def show_language(self, chosen: Language | None, *, fixed: bool) -> None:
        """Shows the language that the user chose, None for the system's; where it is `fixed`, there
        is no choice."""
        self._language.setCurrentIndex(self._language.findData(chosen or ""))
        self._language.setEnabled(not fixed)
        self._spoken.setVisible(fixed)

    def show_preferences(self, preferences: Preferences, fixed: Scheme | None) -> None:
        """Shows the preferences; the scheme is `fixed` where the environment decides it."""
        self._preferences = preferences
        self._theme.setCurrentIndex(self._theme.findData(fixed or preferences.scheme))
        self._theme.setEnabled(fixed is None)
        self._fixed.setVisible(fixed is not None)
        self._size.setCurrentIndex(self._size.findData(preferences.zoom))

    def show_models_folder(self, folder: ModelsFolder) -> None:
        """Shows the folder of runs, and the one that it will be."""
        self._folder = folder
        self._path.setText(folder.now)
        self._path.setToolTip(escape_tooltip(folder.now))
        self._choose.setEnabled(not folder.fixed)
        if folder.fixed:
            text = tr("{variable} is set, and decides the folder.", variable="FLOWERGUI_MODELS")
        elif folder.next != folder.now:
            text = tr("From the next start on: {folder}", folder=folder.next)
        else:
            text = ""
        self._say(self._next, text)

    def show_cache(self, cache: CacheState) -> None:
        """Shows what is kept on the disk."""
        self._cache.setText(
            trn(
                "{count} image, {size}",
                "{count} images, {size}",
                cache.photos,
                size=file_size(cache.size),
            )
            if cache.photos
            else tr("Empty")
        )
        self._cache.setToolTip(escape_tooltip(cache.folder))
        self._clear.setEnabled(cache.photos > 0)

    def show_problem(self, text: str) -> None:
        """Says what could not be done; "" takes it back."""
        self._say(self._problem, text)

    # --- what the user does ---------------------------------------------------------------

    @Slot()
    def _request_language(self) -> None:
        wanted = self._language.currentData()
        self.language_requested.emit(Language(wanted) if wanted else None)

    @Slot()
    def _request(self) -> None:
        wanted = replace(self._preferences, zoom=self._size.currentData())
        if self._theme.isEnabled():
            wanted = replace(wanted, scheme=Scheme(self._theme.currentData()))
        self.preferences_requested.emit(wanted)

    @Slot()
    def _ask_for_folder(self) -> None:
        start = self._folder.next if self._folder else ""
        choose_folder(
            self,
            tr("Choose a folder for runs and weights"),
            start,
            self.models_folder_requested.emit,
        )


def _form(card: Card) -> QFormLayout:
    form = QFormLayout()
    form.setHorizontalSpacing(2 * theme.SPACE)
    form.setVerticalSpacing(theme.SPACE)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    card.body.addLayout(form)
    return form


def _center_labels(form: QFormLayout) -> None:
    """Each label is as high as its field, so that both stand on one line."""
    for row in range(form.rowCount()):
        label = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        field = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
        words = label.widget() if label is not None else None
        if words is not None and field is not None:
            words.setMinimumHeight(field.sizeHint().height())


class _Choice(QComboBox):
    """The wheel scrolls the window: else each step of it would choose, say, another language."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def _choice(name: str, rows: Any) -> QComboBox:
    box = _Choice()
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setObjectName(name)
    for text, value in rows:
        box.addItem(text, value)
    return box


def _button(text: str, name: str, act: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAutoDefault(False)
    button.clicked.connect(lambda: act())
    return button


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.SPACE)
    row.addWidget(first, 1)
    for each in others:
        row.addWidget(each)
    return row
