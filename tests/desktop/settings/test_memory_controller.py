"""The settings of the last run on each folder come back with it."""

import json
from dataclasses import replace

import pytest
from PySide6.QtCore import QSettings

from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Mode, RunState, Store
from flowergui.desktop.settings.memory_controller import KEY, MAX_FOLDERS, MemoryController
from flowergui.desktop.settings.recipe_undo import RecipeUndo
from flowergui.desktop.transitions import with_dataset, with_mode, with_recipe
from flowergui.desktop.widgets.banner import Banner
from flowergui.events import Scanned
from flowergui.facts import ClassCount


def scanned(folder: str) -> Scanned:
    return Scanned(folder, "flat", (ClassCount("rose", 8, 2, ()),), ())


class Window:
    """What of a window remembers; another one with the same settings file is the next start."""

    def __init__(self, qtbot, folder) -> None:
        self.store = Store()
        self.banner = Banner()
        qtbot.addWidget(self.banner)
        self.settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
        self.undo = RecipeUndo(self.store)
        self.memory = MemoryController(self.store, self.undo, self.settings, self.banner)

    def open(self, folder: str) -> None:
        self.store.update(**with_dataset(self.store.session, scanned(folder)))

    def change(self, **values) -> None:
        recipe = replace(self.store.session.recipe, **values)
        self.store.update(**with_recipe(self.store.session, recipe))

    def train(self) -> None:
        self.store.update(run=RunState.RUNNING)
        self.memory.remember()
        self.store.update(run=RunState.IDLE)

    @property
    def recipe(self) -> Recipe:
        return self.store.session.recipe


@pytest.fixture
def start(qtbot, tmp_path):
    return lambda: Window(qtbot, tmp_path)


@pytest.fixture
def again(start) -> Window:
    """The window at the next start, after a run on /roses with a batch size of 7."""
    window = start()
    window.open("/roses")
    window.change(batch_size=7)
    window.train()
    window.settings.sync()
    return start()


def test_the_settings_of_the_last_run_come_back_with_the_folder(again):
    again.open("/tulips")
    assert again.recipe.batch_size != 7
    again.open("/roses")
    assert again.recipe.batch_size == 7
    assert "last run on this folder" in again.banner.text
    again.open("/tulips")
    assert again.recipe.batch_size == 7  # nobody said otherwise


def test_the_offer_goes_with_its_folder(again):
    again.open("/roses")
    assert "last run on this folder" in again.banner.text
    again.open("/tulips")
    assert again.banner.text == ""


def test_a_window_in_another_language_recalls_what_the_one_before_would_have(again, start):
    again.open("/tulips")
    again.change(epochs=23)
    following = start()
    following.memory.take_over(again.memory.hand_over(), "/tulips")
    following.store.update(recipe=again.recipe)
    following.open("/tulips")
    following.open("/roses")
    assert following.recipe.batch_size == 7


def test_a_window_in_another_language_keeps_the_settings_of_the_open_folder_alone(start):
    window = start()
    window.open("/roses")
    usual = window.recipe
    window.change(batch_size=7)
    window.train()
    window.change(batch_size=usual.batch_size)
    following = start()
    following.memory.take_over(window.memory.hand_over(), "/roses")
    following.store.update(recipe=window.recipe)
    following.open("/roses")
    assert following.recipe == usual
    following.open("/tulips")
    following.open("/roses")
    assert following.recipe.batch_size == 7


def test_what_comes_back_is_undone_for_the_open_folder(again):
    before = again.recipe
    again.open("/roses")
    assert again.undo.undoText() == "the settings of the last run on this folder"
    again.undo.undo()
    assert again.recipe == replace(before, photos="/roses")
    again.undo.redo()
    assert again.recipe.batch_size == 7


def test_the_recommended_ones_are_a_click_away(again):
    again.open("/roses")
    again.banner.messages[0].callback()
    assert again.recipe == with_preset(again.recipe, "recommended")


@pytest.mark.parametrize("way", ["a run to resume", "other settings", "undo"])
def test_the_offer_goes_when_something_else_is_chosen(again, way):
    again.open("/roses")
    again.change(epochs=23)  # as an estimate plans them: nobody chose them
    assert "last run on this folder" in again.banner.text
    if way == "a run to resume":
        again.store.update(**with_mode(again.store.session, Mode.RESUME))
    elif way == "other settings":
        again.change(batch_size=8)
    else:
        again.undo.undo()
    assert again.banner.text == ""


def test_epochs_that_an_estimate_has_planned_are_not_the_users(again):
    again.open("/tulips")
    again.change(epochs=23)
    again.open("/roses")
    assert again.recipe.batch_size == 7


def test_what_the_user_has_changed_before_stays(again):
    again.change(batch_size=9)
    again.open("/roses")
    assert again.recipe.batch_size == 9
    assert again.banner.text == ""


def test_a_resumed_run_is_not_remembered(start):
    window = start()
    window.store.update(mode=Mode.RESUME)
    window.train()
    assert window.settings.value(KEY) is None


def test_the_oldest_are_forgotten(start):
    window = start()
    for number in range(MAX_FOLDERS + 3):
        window.open(f"/{number}")
        window.train()
    stored = json.loads(window.settings.value(KEY))
    assert list(stored) == [f"/{number}" for number in range(3, MAX_FOLDERS + 3)]


@pytest.mark.parametrize(
    "stored",
    [
        *("", "[", "[]", "7", '{"/roses": 7}', '{"/roses": {"epochs": "many"}}'),
        *('{"/roses": {"frozen": 7}}', '{"/roses": {"batch_size": null}}', ["a", "b"], b"\xff"),
    ],
)
def test_a_settings_file_may_hold_anything(start, stored):
    window = start()
    window.settings.setValue(KEY, stored)
    before = window.recipe
    window.open("/roses")
    assert replace(window.recipe, photos=before.photos) == before
    window.train()
    assert list(json.loads(window.settings.value(KEY))) == ["/roses"]
