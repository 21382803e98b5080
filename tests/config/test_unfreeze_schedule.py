"""Entries of a schedule: a pattern, and the epoch from which on what it matches trains."""

import pytest

from flowergui.config.recipe import Recipe
from flowergui.config.unfreeze_schedule import parse_entry, unfreeze_epochs, without_parameters
from flowergui.errors import FlowerError

NAMES = ("stem.weight", "layer1.weight", "layer1.bias", "layer2.weight", "fc.weight")
NETWORK = (NAMES, ("fc.weight",), ("layer2.weight",))


def test_the_last_entry_that_matches_counts() -> None:
    schedule = ("*=4", "layer2=2", "layer1.*=3")
    assert unfreeze_epochs(schedule, *NETWORK) == {
        "stem.weight": 4,
        "layer1.weight": 3,
        "layer1.bias": 3,
        "layer2.weight": 2,
        "fc.weight": 4,
    }
    assert unfreeze_epochs(("all-but-last-stage=5",), *NETWORK) == dict.fromkeys(NAMES[:3], 5)


@pytest.mark.parametrize("entry", ["layer1", "layer1=", "=2", "layer1=0", "layer1=two", "layer1=²"])
def test_what_is_no_entry_is_refused(entry: str) -> None:
    with pytest.raises(FlowerError, match="does not say from which epoch") as refused:
        parse_entry(entry)
    assert "layer4=2" in refused.value.hint
    assert "unfreeze_schedule" in Recipe(unfreeze_schedule=(entry,)).problems()


def test_an_entry_that_matches_nothing_is_refused() -> None:
    with pytest.raises(FlowerError, match="'layer9'"):
        unfreeze_epochs(("layer9=2",), *NETWORK)


def test_parameters_leave_a_schedule() -> None:
    schedule = ("layer1=3", "layer2=2")
    assert without_parameters(schedule, ("layer2.weight",), *NETWORK) == ("layer1=3",)
    assert without_parameters(schedule, ("layer1.bias",), *NETWORK) == (
        "layer1.weight=3",
        "layer2=2",
    )
    assert without_parameters(schedule, ("fc.weight",), *NETWORK) == schedule


def test_it_survives_a_file() -> None:
    recipe = Recipe(unfreeze_schedule=("layer2=2", "layer1=3"), layer_decay=0.8)
    assert isinstance(recipe.as_dict()["unfreeze_schedule"], list)
    assert Recipe.from_dict(recipe.as_dict()) == recipe
    stored = {"mode": "transfer", "model": "mynet", "frozen": ["fc"]}  # of an older version
    before = Recipe.from_dict(stored)
    assert (before.unfreeze_schedule, before.layer_decay) == ((), 1.0)
