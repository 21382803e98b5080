"""In which settings runs differ."""

from flowergui.config.recipe import SETTING, Recipe
from flowergui.config.recipe_diff import Difference, differences


def found(*recipes: Recipe) -> dict[str, tuple[str, ...]]:
    return {each.label: each.values for each in differences(recipes)}


def test_equal_recipes_do_not_differ() -> None:
    assert not differences([])
    assert not differences([Recipe()])
    assert not differences([Recipe(photos="/a"), Recipe(photos="/a")])


def test_values_read_as_people_write_them() -> None:
    plain = Recipe(photos="/a", frozen=("fc.bias",))
    other = Recipe(
        photos="/b",
        frozen=("a", "b", "c", "d"),
        scheduler="step",
        batch_size=64,
        ema=0.99,
        drop_last=True,
        image_size=96,
    )
    assert found(plain, other, plain) == {
        "Dataset": ("/a", "/b", "/a"),
        "Frozen": ("fc.bias", "4 parameters", "fc.bias"),
        "Batch size": ("32 images", "64 images", "32 images"),
        "Schedule": ("One-cycle", "StepLR", "One-cycle"),
        "Step size": ("", "30 epochs", ""),  # nothing to a one-cycle schedule
        "Gamma": ("", "0.1", ""),
        "EMA": ("off", "0.99", "off"),
        "Image size": ("the network's own", "96 px", "the network's own"),
        "Drop last batch": ("off", "on", "off"),
    }


def test_a_setting_without_effect_is_no_difference() -> None:
    assert not differences([Recipe(momentum=0.5), Recipe(momentum=0.9)])  # of AdamW
    sgd = [Recipe(optimizer="sgd", momentum=each) for each in (0.5, 0.9)]
    assert differences(sgd) == (Difference("Momentum", SETTING["momentum"].help, ("0.5", "0.9")),)


def test_the_same_number_of_other_parameters_is_a_difference() -> None:
    one, other = ("a", "b", "c", "d"), ("a", "b", "c", "e")
    assert found(Recipe(frozen=one), Recipe(frozen=other), Recipe()) == {
        "Frozen": ("4 parameters, with a…", "4 parameters, with a…", "nothing")
    }
    assert found(Recipe(frozen=one), Recipe(frozen=other)) == {
        "Frozen": ("4 parameters, with d", "4 parameters, with e")
    }


def test_no_digit_is_lost() -> None:
    recipes = [
        Recipe(seed=seed, learning_rate=rate)
        for seed, rate in ((1234567, 0.001234567), (1234568, 0.001234568))
    ]
    assert found(*recipes) == {
        "Learning rate": ("0.001234567", "0.001234568"),
        "Seed": ("1234567", "1234568"),
    }
    assert [SETTING["gamma"].written(each) for each in (1.0, 0.1, 1e-8)] == ["1", "0.1", "1e-08"]
