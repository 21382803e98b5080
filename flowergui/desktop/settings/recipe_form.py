"""3 Hyperparameters: a form that is made from the description of the settings."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSettings, Signal, Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from flowergui.config.presets import PRESETS, with_epochs
from flowergui.config.recipe import GROUPS, SETTINGS, START
from flowergui.config.setting import Setting
from flowergui.desktop.accessibility import radio_group
from flowergui.desktop.session import Session, all_editable, editable, preset
from flowergui.desktop.settings.setting_row import Section, SettingRow
from flowergui.desktop.style import theme
from flowergui.desktop.watched_run import read_only_text
from flowergui.desktop.widgets.card import FoldingCard, Segments
from flowergui.desktop.widgets.labels import OptionalLabel
from flowergui.text import number, shortened, tr, trn

FIRST = ("minutes", "epochs", "batch_size", "learning_rate", "image_size", "augmentation")
"""The settings that are always in sight; the others stand in groups that open."""


class RecipeForm(FoldingCard):
    """Shows the recipe of a session, but for the fields that other panels show (mode, model,
    weights, frozen, photos)."""

    recipe_requested = Signal(object)
    """The user wants this recipe, be it possible or not: see `Recipe.problems`."""
    preset_requested = Signal(str)
    """The user wants the values of a preset, the frozen layers included."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("3  Hyperparameters"), "foldHyperparametersButton", parent)
        self._shown = Session()
        self._filling = False
        self._rows: dict[str, SettingRow] = {}
        self._sections: dict[str, Section] = {}
        self._make_presets()
        self._make_rows()
        self._fill()
        self._show_state()

    def show_session(self, session: Session) -> None:
        """Shows the recipe, what of it may be edited, and what is wrong with it."""
        before, self._shown = self._shown, session
        if session.recipe != before.recipe:
            self._fill()
        if session.recipe != before.recipe or session.network is not before.network:
            self._show_state()
        self.setToolTip(read_only_text() if session.watched is not None else "")
        if editable(session) != editable(before):
            for name, row in self._rows.items():
                row.set_editable(name in editable(session))
        for button in self._presets.values():
            button.setEnabled(all_editable(session))

    def finish_typing(self) -> None:
        """Requests what is typed but not confirmed yet."""
        for row in self._rows.values():
            row.finish_typing()

    def save(self, settings: QSettings) -> None:
        super().save(settings)
        for group, section in self._sections.items():
            if section.is_open or settings.contains(f"opened/{group}"):
                settings.setValue(f"opened/{group}", section.is_open)

    def restore(self, settings: QSettings) -> None:
        super().restore(settings)
        for group, section in self._sections.items():
            if settings.value(f"opened/{group}") in (True, "true"):  # the file may hold anything
                section.open()

    def reset(self) -> None:
        super().reset()
        for section in self._sections.values():
            section.close_rows()
        self._show_state()  # which opens those with a problem

    # --- its parts ------------------------------------------------------------------------

    def _make_presets(self) -> None:
        self._changed = OptionalLabel(tr("changed"))
        theme.style(self._changed, role="chip")
        self.head.addWidget(self._changed)
        self._presets: dict[str, QPushButton] = {}
        for name, title, tip in (
            (
                "recommended",
                tr("Recommended"),
                tr("Values that are a good start for the chosen mode."),
            ),
            (
                "tutorial",
                tr("Tutorial"),
                tr(
                    "A plain baseline to compare with: Adam at 0.001, StepLR, 30 epochs, no "
                    "augmentation."
                ),
            ),
        ):
            button = QPushButton(title)
            button.setObjectName(f"preset{name.capitalize()}")
            button.setToolTip(tip)
            button.clicked.connect(self._choose_preset)
            self._presets[name] = button
        radio_group(self._presets.values(), self, exclusive=False)
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
        """The recipe's values into the editors; what is still being typed stays as it is."""
        self._filling = True
        for name, row in self._rows.items():
            value = getattr(self._shown.recipe, name)
            if row.value() != value:
                row.set_value(value)
        self._filling = False

    def _show_state(self) -> None:
        """Which fields matter, what is wrong, and which preset this is."""
        recipe = self._shown.recipe
        problems = recipe.problems()
        for name, row in self._rows.items():
            problem = problems.get(name, "")
            row.show_problem(problem)
            # A hidden reason would be a riddle.
            row.setVisible(row.setting.matters(recipe) or bool(problem))
            if problem:
                self.fold(False)
            if problem and name not in FIRST:
                self._sections[row.setting.group].open()
        for group, section in self._sections.items():
            section.show_summary(self._summary(group))
        chosen = preset(self._shown)
        for name, button in self._presets.items():
            button.setChecked(name == chosen)
        self._changed.setVisible(not chosen)
        self._changed.setToolTip(self._what_is_changed() if not chosen else "")
        self.show_summary(self._brief(chosen))

    def _what_is_changed(self) -> str:
        """In which settings the recipe differs from the preset that it had."""
        recipe, base = self._shown.recipe, self._shown.base_preset
        names = [
            tr(row.setting.label)
            for name, row in self._rows.items()
            if PRESETS[base][recipe.mode].get(name, getattr(recipe, name)) != getattr(recipe, name)
            and not (name == "epochs" and recipe.minutes)
        ]
        preset_name = self._presets[base].text()
        if not names:
            return tr("The frozen layers differ from those of {preset}.", preset=preset_name)
        return tr("Differ from {preset}: {names}.", preset=preset_name, names=shortened(names))

    def _brief(self, chosen: str) -> str:
        """The preset, and how long it trains: "Recommended · 5 min"."""
        recipe = self._shown.recipe
        if recipe.minutes:
            length = tr("{minutes} min", minutes=number(recipe.minutes))
        else:
            length = trn("{count} epoch", "{count} epochs", recipe.epochs)
        return " · ".join((*((self._presets[chosen].text(),) if chosen else ()), length))

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
        shown = self._shown.recipe
        values: dict[str, Any] = {name: row.value() for name, row in self._rows.items()}
        recipe = replace(shown, **values)
        if recipe.epochs != shown.epochs and recipe.minutes == shown.minutes:
            recipe = with_epochs(recipe, recipe.epochs)
        if recipe != self._shown.recipe:
            self.recipe_requested.emit(recipe)

    @Slot()
    def _choose_preset(self) -> None:
        chosen = next(name for name, each in self._presets.items() if each is self.sender())
        self.preset_requested.emit(chosen)
        self._show_state()  # a second click on the same preset has unchecked its button
