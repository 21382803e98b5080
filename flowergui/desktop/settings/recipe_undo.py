"""Undo for what one click can lose: settings that a preset, those of another run, a speed-up, or
frozen layers, replace."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from flowergui.desktop.session import Mode, Session, Store, is_idle
from flowergui.desktop.transitions import NOT_RESUMING

MAX_STEPS = 50
BELONG_TO_RECIPE = ("mode", "base_preset", "model_chosen", "taken_speedup", *NOT_RESUMING)
"""The fields of a session that belong to its recipe: they change together, so that one of another
mode, or of a run to resume, is never put in its place alone."""


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
            there = {name: getattr(session, name) for name in ("recipe", *BELONG_TO_RECIPE)}
            self.push(_Change(self._store, text, {**there, **changes}))

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        if is_idle(before) and not is_idle(after):
            self.clear()


class _Change(QUndoCommand):
    """Fields of the session, and the values that they get next.

    Each time, these values and those that are there change places: what was edited since comes back
    too, when the change is redone. The dataset stays the one that is open, and another run to
    resume is checked again.
    """

    def __init__(self, store: Store, text: str, changes: dict[str, Any]) -> None:
        super().__init__(text)
        self._store, self._values = store, changes

    def redo(self) -> None:
        session, values = self._store.session, self._values
        if values["mode"] is not Mode.RESUME:
            folder = session.dataset.folder if session.dataset else ""
            values["recipe"] = replace(values["recipe"], photos=folder)
        same_run = values["checkpoint"] == session.checkpoint
        values["resume_check"] = session.resume_check if same_run else None
        there = {name: getattr(session, name) for name in values}
        self._store.update(**values)
        self._values = there

    def undo(self) -> None:
        self.redo()
