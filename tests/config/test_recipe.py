"""The one description of a run: its settings, its checks, its presets, its form on disk."""

import json
import re
from dataclasses import fields, replace

import pytest

from flowergui.config.frozen_patterns import ALL_BUT_HEAD, ALL_BUT_LAST_STAGE, frozen_names
from flowergui.config.presets import PRESETS, preset_of, with_preset
from flowergui.config.recipe import DEFAULT_MODELS, GROUPS, SETTING, SETTINGS, Recipe
from flowergui.config.setting import Value
from flowergui.errors import FlowerError


def test_every_field_but_the_folder_has_a_setting_that_people_can_read() -> None:
    assert [each.name for each in SETTINGS] == [f.name for f in fields(Recipe)][1:]
    for each in SETTINGS:
        assert each.group in GROUPS
        assert each.label
        assert each.help.endswith(".")
        assert each.problem(each.default) == ""
        assert each.minimum <= each.maximum


@pytest.mark.parametrize("each", SETTINGS, ids=lambda each: each.name)
def test_what_a_setting_writes_it_reads(each) -> None:
    default = each.default
    text = ", ".join(default) if isinstance(default, tuple) else str(default)
    assert each.parse(text) == default
    assert type(each.parse(text)) is type(default)
    assert each.parse(each.written(default)) == default


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("drop_last", "on", True),
        ("drop_last", " TRUE ", True),
        ("drop_last", "0", False),
        ("epochs", "1e2", 100),
        ("epochs", "1,000", 1000),
        ("seed", "10 000", 10_000),
        ("batch_size", " 64 images ", 64),
        ("weight_decay", "0,05", 0.05),
        ("learning_rate", "3e-4", 0.0003),
        ("image_size", "auto", 0),
        ("image_size", "own", 0),
        ("weight_decay", "none", 0.0),
        ("ema", "off", 0.0),
        ("ema", "on", 0.998),
        ("mixup", "yes", 0.2),
        ("frozen", "conv1.*, bn1  fc", ("conv1.*", "bn1", "fc")),
        ("frozen", "", ()),
        ("frozen", "nothing", ()),
        ("model", " resnet50 ", "resnet50"),
    ],
)
def test_parse(name: str, text: str, value: object) -> None:
    assert SETTING[name].parse(text) == value


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("image_size", 0, "the network's own"),
        ("image_size", 96, "96 px"),
        ("scheduler", "one-cycle", "One-cycle"),
        ("drop_last", False, "off"),
        ("seed", 0, "0"),
        ("frozen", (), "nothing"),
        ("weights", "", ""),
    ],
)
def test_values_as_people_read_them(name: str, value: Value, shown: str) -> None:
    assert SETTING[name].shown(value) == shown


ZEROS = [each.name for each in SETTINGS if each.zero]


@pytest.mark.parametrize("name", ZEROS)
@pytest.mark.parametrize("word", ["none", "off", "No", "own", "auto", "0"])
def test_every_word_for_zero_fits_every_setting_that_takes_zero(name: str, word: str) -> None:
    value = SETTING[name].parse(word)
    assert (value, type(value)) == (0, type(SETTING[name].default))
    assert SETTING[name].parse(SETTING[name].written(0)) == 0


def test_words_for_zero_while_they_are_typed() -> None:
    ema, epochs = SETTING["ema"], SETTING["epochs"]
    assert ema.means_zero(" OFF ")
    assert ema.may_become_zero("of")
    assert not ema.may_become_zero("")
    assert not ema.may_become_zero("often")
    assert not epochs.means_zero("none")
    assert not epochs.may_become_zero("no")
    assert not SETTING["ema"].means_zero("0.5")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "1,000", 1000.0),
        ("seed", "1,234,567", 1_234_567.0),
        ("seed", "1_234", 1234.0),
        ("epochs", "12,5", None),
        ("epochs", "1,0000", None),
        ("epochs", "1 0", None),
        ("epochs", "nan", None),
        ("epochs", "", None),
        ("epochs", "12.5", 12.5),  # a number, and `problem` says what is wrong with it
        ("weight_decay", "12,5", 12.5),
        ("weight_decay", "1,234", 1.234),  # 1234 is out of range
        ("learning_rate", "0,001", 0.001),
        ("learning_rate", "2e-4", 0.0002),
        ("image_size", "128px", 128.0),
        ("image_size", "own", 0.0),
        ("step_size", "1 epoch", 1.0),
    ],
)
def test_numbers_as_people_type_them(name: str, text: str, value: float | None) -> None:
    assert SETTING[name].read_number(text) == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("drop_last", "maybe", "neither on nor off"),
        ("epochs", "many", "not a number"),
        ("epochs", "12,5", "not a number"),
        ("epochs", "none", "not a number"),
    ],
)
def test_parse_refuses(name: str, text: str, says: str) -> None:
    with pytest.raises(FlowerError, match=says):
        SETTING[name].parse(text)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("mode", "sideways", "Mode must be one of: scratch, transfer."),
        ("epochs", 0, "Epochs must lie between 1 and 10,000."),
        ("epochs", 2.5, "Epochs must be a whole number."),
        ("epochs", float("inf"), "Epochs must lie between 1 and 10,000."),
        ("epochs", float("nan"), "Epochs must lie between 1 and 10,000."),
        ("epochs", True, "Epochs must be a number."),
        ("learning_rate", float("nan"), "Learning rate must lie between 1e-8 and 10."),
        ("learning_rate", "fast", "Learning rate must be a number."),
        ("image_size", 8, "Image size must lie between 16 and 1,024, or 0 (the network's own)."),
        ("drop_last", 1, "Drop last batch is either on or off."),
        ("model", 18, "Network must be text."),
        ("frozen", ["fc"], "Frozen must be a list of names."),
        ("frozen", (1,), "Frozen must be a list of names."),
    ],
)
def test_problems_are_named_beside_their_field(name: str, value: object, says: str) -> None:
    recipe = replace(Recipe(), **{name: value})
    assert recipe.problems() == {name: says}
    with pytest.raises(FlowerError, match=re.escape(says)):
        recipe.checked()


@pytest.mark.parametrize("name", ["image_size", "ema", "workers", "weight_decay"])
def test_zero_is_valid_if_it_has_a_meaning(name: str) -> None:
    assert SETTING[name].zero
    assert replace(Recipe(), **{name: 0}).problems() == {}


def test_problems_between_fields() -> None:
    assert "weights" in Recipe(mode="transfer", weights="").problems()
    assert "precision" in Recipe(device="cpu", precision="float16").problems()
    assert Recipe(device="cuda", precision="float16").problems() == {}


def test_the_defaults_are_a_transfer_that_needs_no_download() -> None:
    assert (Recipe().mode, Recipe().model, Recipe().weights) == (
        "transfer", "efficientnet_lite0", "imagenet",
    )  # fmt: skip
    assert {"scratch": "resnet18", "transfer": Recipe().model} == DEFAULT_MODELS


def test_survives_json() -> None:
    recipe = Recipe(photos="/blumen/über", frozen=("conv1.*", "bn1"), epochs=7, ema=0.99)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_from_dict_knows_earlier_and_later_versions() -> None:
    before = Recipe(epochs=3, mode="scratch", model="resnet18")
    assert Recipe.from_dict({"epochs": 3, "invented_later": 1}) == before
    assert Recipe.from_dict(Recipe(epochs=3).as_dict()) == Recipe(epochs=3)
    with pytest.raises(FlowerError, match="Epochs must be a number"):
        Recipe.from_dict({"epochs": "3"})


# --- presets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("mode", ["scratch", "transfer"])
def test_presets_are_valid_recipes(preset: str, mode: str) -> None:
    recipe = with_preset(Recipe(mode=mode, epochs=9999, gamma=0.77), preset)
    assert recipe.problems() == {}
    assert recipe.mode == mode
    assert preset_of(recipe) == preset
    assert preset_of(replace(recipe, frozen=("fc",))) == preset
    assert preset_of(replace(recipe, epochs=1234, minutes=0.0)) == ""
    follows = bool(recipe.minutes)  # the number of epochs follows from the time budget
    assert (preset_of(replace(recipe, epochs=1234)) == preset) == follows


@pytest.mark.parametrize("mode", ["scratch", "transfer"])
def test_the_tutorials_values(mode: str) -> None:
    recipe = with_preset(Recipe(mode=mode, augmentation="strong", ema=0.9), "tutorial")
    assert (recipe.epochs, recipe.batch_size) == (30, 32)
    assert (recipe.optimizer, recipe.learning_rate, recipe.weight_decay) == ("adam", 0.001, 0)
    assert (recipe.scheduler, recipe.step_size, recipe.gamma) == ("step", 30, 0.1)
    assert recipe.augmentation == "none"
    assert (recipe.ema, recipe.mixup, recipe.cutmix, recipe.label_smoothing) == (0, 0, 0, 0)
    assert recipe.drop_last
    assert recipe.frozen == ((ALL_BUT_HEAD,) if mode == "transfer" else ())


# --- frozen -----------------------------------------------------------------------------------

NAMES = ("conv1.weight", "layer1.0.weight", "layer1.1.weight", "layer10.weight", "fc.weight")


@pytest.mark.parametrize(
    ("words", "frozen"),
    [
        ((), ()),
        (("conv1.weight",), NAMES[:1]),
        (("layer1",), NAMES[1:3]),  # a module's name, and not layer10
        (("layer1.*",), NAMES[1:3]),
        (("layer1*",), NAMES[1:4]),
        (("fc", "conv1"), (NAMES[0], NAMES[4])),  # in the network's order
        ((ALL_BUT_HEAD,), NAMES[:4]),
        ((ALL_BUT_LAST_STAGE,), NAMES[:3]),
        ((ALL_BUT_LAST_STAGE, "layer10"), NAMES[:4]),
        (("*",), NAMES),
    ],
)
def test_what_frozen_words_mean(words: tuple[str, ...], frozen: tuple[str, ...]) -> None:
    assert frozen_names(words, NAMES, ["fc.weight"], ["layer10.weight"]) == frozen


def test_a_word_that_fits_nothing_is_refused() -> None:
    with pytest.raises(FlowerError, match="'layer9'"):
        frozen_names(["fc", "layer9"], NAMES, ["fc.weight"], [])


@pytest.mark.parametrize(("step_size", "patience"), [(1, 1), (3, 1), (30, 10), (100, 33)])
def test_old_recipes_keep_the_patience_that_they_had(step_size: int, patience: int) -> None:
    """Until it was a setting of its own, plateau waited a third of the step size."""
    old = Recipe(step_size=step_size, scheduler="plateau").as_dict()
    del old["plateau_patience"]
    assert Recipe.from_dict(old).plateau_patience == patience
    assert Recipe.from_dict({**old, "plateau_patience": 5}).plateau_patience == 5
