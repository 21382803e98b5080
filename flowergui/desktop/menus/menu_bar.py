"""The menu bar."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QUndoStack
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from flowergui.desktop.dataset.recent_folders import fill_with_folders
from flowergui.desktop.menus.actions import MENUS, Item, Key, Menu
from flowergui.desktop.session import Session
from flowergui.desktop.style.theme import Scheme
from flowergui.text import tr

THEMES = {
    "themeSystemAction": Scheme.SYSTEM,
    "themeLightAction": Scheme.LIGHT,
    "themeDarkAction": Scheme.DARK,
}
"""The Scheme that each of these actions chooses."""


class MenuBar(QMenuBar):
    """Shows MENUS. What can be done, and what is chosen, follows the session."""

    recent_chosen = Signal(str)
    """The user wants this folder, which was open before."""

    def __init__(
        self, acts: Mapping[str, Callable[[], object]], parent: QWidget | None = None
    ) -> None:
        """`acts` says what each action does. Raises KeyError for one that is missing."""
        super().__init__(parent)
        self.setObjectName("menuBar")
        self._acts = acts
        self._menus: dict[str, tuple[Menu, QMenu]] = {}
        self._actions: dict[str, tuple[Item, QAction]] = {}
        for menu in MENUS:
            self._fill(menu, self._add_menu(menu, self.addMenu("")))
        self._recent = self._menus["recentMenu"][1]
        self._recent.setToolTipsVisible(True)
        self._recent.triggered.connect(self._recent_triggered)
        self._group(THEMES)
        self.show_texts()
        self.show_session(Session())

    def _add_menu(self, menu: Menu, made: QMenu) -> QMenu:
        made.setObjectName(menu.name)
        self._menus[menu.name] = menu, made
        return made

    def _fill(self, menu: Menu, made: QMenu) -> None:
        for each in menu.items:
            if each is None:
                made.addSeparator()
            elif isinstance(each, Menu):
                self._fill(each, self._add_menu(each, made.addMenu("")))
            else:
                made.addAction(self._make(each))
        marked = [each.name for each in menu.items if isinstance(each, Item) and each.checked]
        if marked:
            self._group(marked)

    def _make(self, item: Item) -> QAction:
        action = QAction(self)
        action.setObjectName(item.name)
        action.setMenuRole(item.role)
        action.setShortcuts(list(dict.fromkeys(_sequences(item))))
        if item.everywhere:
            action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        if item.name not in self._acts:
            raise KeyError(item.name)
        action.triggered.connect(self._act)  # a lambda would keep the window alive
        self._actions[item.name] = item, action
        return action

    @Slot()
    def _act(self) -> None:
        self._acts[self.sender().objectName()]()

    def _group(self, names: Sequence[str] | Mapping[str, object]) -> None:
        """Of these, one is chosen."""
        group = QActionGroup(self)
        for name in names:
            self.action(name).setCheckable(True)
            group.addAction(self.action(name))

    # --- what it shows --------------------------------------------------------------------

    def action(self, name: str) -> QAction:
        """The action of this name."""
        return self._actions[name][1]

    def show_texts(self) -> None:
        """Shows titles and texts in the user's language."""
        for menu, made in self._menus.values():
            made.setTitle(tr(menu.title))
        for item, action in self._actions.values():
            action.setText(tr(item.text))

    def show_session(self, session: Session) -> None:
        """Shows what can be done, and what is chosen."""
        for item, action in self._actions.values():
            if item.enabled is not None:
                action.setEnabled(item.enabled(session))
            if item.texts is not None:
                text = item.texts(session)
                action.setText(tr(text))
            if item.checked is not None and item.checked(session) != action.isChecked():
                self._check(action, item.checked(session))

    def show_recent(self, folders: Sequence[str]) -> None:
        """Offers the folders that were open before, newest first."""
        fill_with_folders(self._recent, folders)
        self._recent.setEnabled(bool(folders))

    def show_scheme(self, scheme: Scheme, *, fixed: bool) -> None:
        """Shows which theme is chosen; where it is `fixed`, there is no choice."""
        for name, each in THEMES.items():
            self.action(name).setChecked(each == scheme)
        self._menus["themeMenu"][1].setEnabled(not fixed)

    def show_full_screen(self, is_full: bool) -> None:
        """Shows whether the window fills the screen."""
        action = self.action("fullScreenAction")
        action.setCheckable(True)
        action.setChecked(is_full)

    def show_columns(self, *, left: bool, right: bool) -> None:
        """Shows which columns at the sides are open."""
        for name, is_open in (("leftColumnAction", left), ("rightColumnAction", right)):
            action = self.action(name)
            action.setCheckable(True)
            action.setChecked(is_open)

    def follow_undo(self, stack: QUndoStack) -> None:
        """Shows what of this stack can be undone, and done again."""
        for name, able, changed in (
            ("undoAction", stack.canUndo(), stack.canUndoChanged),
            ("redoAction", stack.canRedo(), stack.canRedoChanged),
        ):
            self.action(name).setEnabled(able)
            changed.connect(self.action(name).setEnabled)
        stack.undoTextChanged.connect(self._show_undo)
        stack.redoTextChanged.connect(self._show_redo)

    @Slot(str)
    def _show_undo(self, what: str) -> None:
        text = tr("&Undo: {what}", what=what) if what else tr("&Undo")
        self.action("undoAction").setText(text)

    @Slot(str)
    def _show_redo(self, what: str) -> None:
        text = tr("&Redo: {what}", what=what) if what else tr("&Redo")
        self.action("redoAction").setText(text)

    def _check(self, action: QAction, checked: bool) -> None:
        group = action.actionGroup()
        if group is not None:  # an exclusive group cannot have none checked
            group.setExclusive(False)
        action.setChecked(checked)
        if group is not None:
            group.setExclusive(True)

    @Slot(QAction)
    def _recent_triggered(self, action: QAction) -> None:
        self.recent_chosen.emit(str(action.data()))


def _sequences(item: Item) -> Iterator[QKeySequence]:
    for key in item.keys:
        if isinstance(key, Key):
            yield from QKeySequence.keyBindings(key)
        else:
            yield QKeySequence(key)
