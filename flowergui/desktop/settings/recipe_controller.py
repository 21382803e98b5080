"""Settings that the user edits, and presets that he chooses, become the session's recipe."""

from PySide6.QtCore import QObject, Slot

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Store
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.settings.recipe_undo import RecipeUndo
from flowergui.desktop.transitions import with_chosen_preset, with_recipe
from flowergui.text import tr


class RecipeController(QObject):
    """Follows the form."""

    def __init__(
        self, store: Store, form: RecipeForm, undo: RecipeUndo, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._undo = store, undo
        form.recipe_requested.connect(self._take_recipe)
        form.preset_requested.connect(self.take_preset)

    @Slot(object)
    def _take_recipe(self, recipe: Recipe) -> None:
        self._store.update(**with_recipe(self._store.session, recipe))

    @Slot(str)
    def take_preset(self, preset: str) -> None:
        """The user wants the values of this preset."""
        self._undo.change(tr("the preset"), with_chosen_preset(self._store.session, preset))
