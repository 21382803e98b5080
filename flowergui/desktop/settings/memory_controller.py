"""Remembers with which settings each folder was trained last, and offers them there again."""

import json
from typing import Any

from PySide6.QtCore import QObject, QSettings, Slot

from flowergui.config.presets import as_asked
from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Mode, Session, Store, is_idle
from flowergui.desktop.settings.recipe_undo import RecipeUndo
from flowergui.desktop.transitions import new_run_recipe, with_chosen_preset, with_settings_of
from flowergui.desktop.widgets.banner import Banner, Message
from flowergui.errors import FlowerError
from flowergui.text import tr

KEY = "recipes"
"""In the settings: a JSON object of recipes by folder, the newest last."""
MAX_FOLDERS = 20


class MemoryController(QObject):
    """Takes up the settings of the last run on a folder when it is opened, unless the user has
    changed some before."""

    def __init__(
        self,
        store: Store,
        undo: RecipeUndo,
        settings: QSettings,
        banner: Banner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._undo, self._settings, self._banner = store, undo, settings, banner
        self._untouched = _asked_for(store.session.recipe)
        self._kept = ""  # a folder that is opened again, with the settings that there are
        self._offer: Message | None = None
        store.changed.connect(self._follow)

    def hand_over(self) -> dict[str, Any]:
        """What the controller of another window needs to tell settings that the user has changed:
        those that he has not."""
        return self._untouched

    def take_over(self, untouched: dict[str, Any], folder: str) -> None:
        """Goes on where the controller of another window was, which has left `untouched`. `folder`,
        "" for none, was open there: when it is opened here, the settings stay."""
        self._untouched, self._kept = untouched, folder

    @Slot()
    def remember(self) -> None:
        """A run begins: if it is a new one, its settings are those of its folder."""
        session = self._store.session
        if session.mode is not Mode.RESUME:
            self._remember(new_run_recipe(session))

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        session = self._store.session
        if not is_idle(after) or self._is_touched(session):
            self._dismiss_offer()
        if is_idle(before) and not is_idle(after):
            return
        opened = after.dataset.folder if after.dataset else ""
        if opened and opened != (before.dataset.folder if before.dataset else ""):
            self._dismiss_offer()  # it is about the folder before
            kept, self._kept = self._kept, ""
            if opened != kept:
                self._recall(session, opened)

    def _recall(self, session: Session, folder: str) -> None:
        recipe = _recipe(self._stored().get(folder))
        if recipe is None or self._is_touched(session) or not is_idle(session):
            return
        if _asked_for(recipe) == _asked_for(session.recipe):
            return
        changes = with_settings_of(session, recipe)
        self._undo.change(tr("the settings of the last run on this folder"), changes)
        self._untouched = _asked_for(self._store.session.recipe)
        self._offer = self._banner.offer(
            tr("These are the settings of your last run on this folder."),
            tr("Use the recommended ones"),
            self._take_recommended,
        )

    def _dismiss_offer(self) -> None:
        if self._offer is not None:
            self._offer.dismiss()
            self._offer = None

    def _is_touched(self, session: Session) -> bool:
        """Whether the user has changed the settings, or resumes a run with its own."""
        return session.mode is Mode.RESUME or _asked_for(session.recipe) != self._untouched

    def _take_recommended(self) -> None:
        changes = with_chosen_preset(self._store.session, "recommended")
        self._undo.change(tr("the preset"), changes)

    def _remember(self, recipe: Recipe) -> None:
        stored = self._stored()
        stored.pop(recipe.photos, None)
        stored[recipe.photos] = recipe.as_dict()
        kept = dict(list(stored.items())[-MAX_FOLDERS:])
        self._settings.setValue(KEY, json.dumps(kept))

    def _stored(self) -> dict[str, Any]:
        """The file may hold anything."""
        try:
            stored = json.loads(str(self._settings.value(KEY)))
        except ValueError:
            return {}
        return stored if isinstance(stored, dict) else {}


def _recipe(stored: object) -> Recipe | None:
    if not isinstance(stored, dict):
        return None
    try:
        return Recipe.from_dict(stored)
    except FlowerError:
        return None


def _asked_for(recipe: Recipe) -> dict[str, Any]:
    """What the user asks for, whatever folder is open."""
    values = as_asked(recipe).as_dict()
    return {name: value for name, value in values.items() if name != "photos"}
