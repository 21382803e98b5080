"""Undo for what one click can lose: settings that a preset, those of another run, a speed-up, or
frozen layers, replace."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from flowergui.desktop.session import Session, Store, is_idle

MAX_STEPS = 50


class RecipeUndo(QUndoStack):
    """A stack of changes of the session. It is empty while a run goes: the recipe is that run's."""

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setUndoLimit(MAX_STEPS)
        self._store = store
        store.changed.connect(self._follow)

    def change(self, text: str, changes: dict[str, Any]) -> None:
        """Changes these fields of the session, which can be undone; `text` says what that was.
        While a run goes, they are changed for good."""
        session = self._store.session
        if not is_idle(session):
            self._store.update(**changes)
        elif any(getattr(session, name) != value for name, value in changes.items()):
            self.push(_Change(self._store, text, changes))

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        if is_idle(before) and not is_idle(after):
            self.clear()


class _Change(QUndoCommand):
    """Fields of the session, and the values that they get next.

    Each time, these values and those that are there change places: what was edited since comes back
    too, when the change is redone. The dataset stays the one that is open.
    """

    def __init__(self, store: Store, text: str, changes: dict[str, Any]) -> None:
        super().__init__(text)
        self._store, self._values = store, changes

    def redo(self) -> None:
        session, recipe = self._store.session, self._values.get("recipe")
        if recipe is not None:
            self._values["recipe"] = replace(recipe, photos=session.recipe.photos)
        there = {name: getattr(session, name) for name in self._values}
        self._store.update(**self._values)
        self._values = there

    def undo(self) -> None:
        self.redo()
