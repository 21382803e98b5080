"""3 Hyperparameters: a form that is made from the description of the settings."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from flowergui.config.presets import PRESETS, preset_of, with_preset
from flowergui.config.recipe import GROUPS, SETTINGS, START, Recipe
from flowergui.config.setting import Setting
from flowergui.desktop.settings.setting_row import Section, SettingRow
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card, Segments

FIRST = ("epochs", "batch_size", "learning_rate", "image_size", "augmentation")
"""The settings that are always in sight; the others stand in groups that open."""

LIVE = frozenset({"learning_rate"})
"""What may change while a run goes."""


class RecipeForm(Card):
    """Edits every field of Recipe that has no panel of its own.

    The others (mode, model, weights, frozen, photos) come through `set_start` and are part of
    `recipe()`.
    """

    recipe_changed = Signal()
    """`recipe()` gives another recipe than before."""
    learning_rate_changed = Signal(float)
    """The user wants another learning rate for the run that goes; it is a possible one."""
    preset_chosen = Signal(str)
    """The user took a preset; `recipe()` has its values, the frozen layers included."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("3  Hyperparameters", parent)
        self._recipe = with_preset(Recipe(), "recommended")
        self._preset = "recommended"
        self._running = False
        self._filling = False
        self._rows: dict[str, SettingRow] = {}
        self._sections: dict[str, Section] = {}
        self._make_presets()
        self._make_rows()
        self._fill()
        self._show_state()

    # --- for the window -------------------------------------------------------------------

    def recipe(self) -> Recipe:
        """What the form says now, be it possible or not: see `problems`."""
        for row in self._rows.values():
            row.finish_typing()
        return self._recipe

    def set_recipe(self, recipe: Recipe) -> None:
        """Shows `recipe`, the fields of the other panels included."""
        if recipe != self._recipe:
            self._recipe = recipe
            self._preset = preset_of(recipe) or self._preset
            self._fill()
            self._show_state()
            self.recipe_changed.emit()

    def set_start(
        self,
        *,
        mode: str | None = None,
        model: str | None = None,
        weights: str | None = None,
        frozen: tuple[str, ...] | None = None,
        photos: str | None = None,
    ) -> None:
        """What the other panels say; None leaves a field as it is. `mode` is that of a recipe,
        scratch or transfer.

        A new mode brings the values of the preset for it, except those that the user changed.
        """
        recipe = self._recipe
        if mode is not None and mode != recipe.mode:
            recipe = _in_mode(recipe, mode, self._preset)
        given = {"model": model, "weights": weights, "frozen": frozen, "photos": photos}
        more: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        self.set_recipe(replace(recipe, **more))

    def set_running(self, running: bool) -> None:
        """While a run goes, only what it can follow may be edited."""
        self._running = running
        self.set_editable(LIVE if running else None)

    def set_editable(self, names: frozenset[str] | None) -> None:
        """Only these settings may be edited; None for all."""
        for name, row in self._rows.items():
            row.set_editable(names is None or name in names)
        for button in self._presets.values():
            button.setEnabled(names is None)

    def problems(self) -> dict[str, str]:
        """Field name -> why its value can't be; empty where a run could start."""
        return self.recipe().problems()

    # --- its parts ------------------------------------------------------------------------

    def _make_presets(self) -> None:
        self._changed = QLabel("changed")
        self._changed.setToolTip("The values differ from the preset's.")
        theme.style(self._changed, role="chip")
        self.head.addWidget(self._changed)
        self._presets: dict[str, QPushButton] = {}
        for name, tip in (
            ("recommended", "Values that are a good start for the chosen mode."),
            ("tutorial", "The values of the classic transfer-learning tutorial."),
        ):
            button = QPushButton(name.capitalize())
            button.setObjectName(f"preset{name.capitalize()}")
            button.setToolTip(tip)
            button.clicked.connect(self._take_preset)
            self._presets[name] = button
        self.body.addWidget(Segments(self._presets.values()))

    def _make_rows(self) -> None:
        fields = [each for each in SETTINGS if each.group != START]
        first = QVBoxLayout()
        first.setSpacing(6)
        self.body.addLayout(first)
        for name in FIRST:
            setting = next(each for each in fields if each.name == name)
            first.addWidget(self._row(setting, self))
        groups = QVBoxLayout()
        groups.setSpacing(0)
        self.body.addLayout(groups)
        for group in GROUPS:
            rest = [each for each in fields if each.group == group and each.name not in FIRST]
            if rest:
                self._sections[group] = section = Section(group, self)
                for each in rest:
                    section.add(self._row(each, section.inner))
                groups.addWidget(section)

    def _row(self, setting: Setting, parent: QWidget) -> SettingRow:
        row = SettingRow(setting, parent)
        row.edited.connect(self._edited)
        self._rows[setting.name] = row
        return row

    # --- what it shows --------------------------------------------------------------------

    def _fill(self) -> None:
        """The recipe's values into the editors."""
        self._filling = True
        for name, row in self._rows.items():
            row.set_value(getattr(self._recipe, name))
        self._filling = False

    def _show_state(self) -> None:
        """Which fields matter, what is wrong, and which preset this is."""
        problems = self._recipe.problems()
        for name, row in self._rows.items():
            problem = problems.get(name, "")
            row.show_problem(problem)
            # A hidden reason would be a riddle.
            row.setVisible(row.setting.matters(self._recipe) or bool(problem))
            if problem and name not in FIRST:
                self._sections[row.setting.group].open()
        for group, section in self._sections.items():
            section.show_summary(self._summary(group))
        preset = preset_of(self._recipe)
        for name, button in self._presets.items():
            button.setChecked(name == preset)
        self._changed.setVisible(not preset)

    def _summary(self, group: str) -> str:
        words = [
            row.in_brief()
            for name, row in self._rows.items()
            if row.setting.group == group and name not in FIRST
        ]
        return " · ".join(word for word in dict.fromkeys(words) if word)

    # --- what the user does ---------------------------------------------------------------

    @Slot()
    def _edited(self) -> None:
        if self._filling:
            return
        values: dict[str, Any] = {name: row.value() for name, row in self._rows.items()}
        before, self._recipe = self._recipe, replace(self._recipe, **values)
        if self._recipe == before:
            return
        self._preset = preset_of(self._recipe) or self._preset
        self._show_state()
        rate = self._recipe.learning_rate
        if self._running and rate != before.learning_rate and not self._recipe.problems():
            self.learning_rate_changed.emit(rate)
        self.recipe_changed.emit()

    @Slot()
    def _take_preset(self) -> None:
        chosen = next(name for name, each in self._presets.items() if each is self.sender())
        self._preset = chosen
        self.set_recipe(with_preset(self._recipe, chosen))
        self._show_state()  # a second click on the same preset has unchecked its button
        self.preset_chosen.emit(chosen)


def _in_mode(recipe: Recipe, mode: str, preset: str) -> Recipe:
    """`recipe` in another mode. What it has from the preset becomes the preset's for that
    mode; what the user changed stays."""
    before, after = PRESETS[preset][recipe.mode], PRESETS[preset][mode]
    untouched: dict[str, Any] = {
        name: value
        for name, value in after.items()
        if getattr(recipe, name) == before.get(name) or name == "frozen"
    }
    return replace(recipe, mode=mode, **untouched)
