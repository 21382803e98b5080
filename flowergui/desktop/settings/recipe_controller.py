"""Settings that the user edits, and presets that he chooses, become the session's recipe."""

from PySide6.QtCore import QObject, Slot

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Store
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.transitions import with_chosen_preset, with_recipe


class RecipeController(QObject):
    """Follows the form."""

    def __init__(self, store: Store, form: RecipeForm, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        form.recipe_requested.connect(self._take_recipe)
        form.preset_requested.connect(self._take_preset)

    @Slot(object)
    def _take_recipe(self, recipe: Recipe) -> None:
        self._store.update(**with_recipe(self._store.session, recipe))

    @Slot(str)
    def _take_preset(self, preset: str) -> None:
        self._store.update(**with_chosen_preset(self._store.session, preset))
