"""How long a run will still take, where a time budget bounds it."""

from dataclasses import replace

from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.desktop.training.eta import Eta
from flowergui.events import BatchDone, RunStarted


def started(*, resumed: bool) -> RunStarted:
    return RunStarted(
        "run", "efficientnet_lite0", "transfer", ("rose", "tulip"), 320, 80, 288, "cpu", "float32",
        10, 10, 1, 0, 0, 9, 36, (), resumed,
    )  # fmt: skip


def test_the_size_that_the_time_budget_chose_counts() -> None:
    """An epoch of 256 px takes 16/9 of the time of one of 192 px."""
    recipe = replace(with_preset(Recipe(mode="transfer"), "recommended"), minutes=1000.0)
    chosen = replace(started(resumed=False), training_size=256)
    left = []
    for begun in (started(resumed=False), chosen):
        eta = Eta(begun, recipe)
        for number in range(1, 5):
            eta.took([batch(number)], 4.0 * number)
        left.append(eta.seconds_left())
    assert left[1] > 1.5 * left[0]


def batch(number: int) -> BatchDone:
    return BatchDone(1, number, 10, number, 1.0, 0.5, 0.0, 32)


def test_a_time_budget_bounds_the_time_left() -> None:
    """Ten epochs would take ten minutes at this pace, of which five are allowed."""
    recipe = with_preset(Recipe(mode="transfer"), "recommended")
    bounded, resumed = Eta(started(resumed=False), recipe), Eta(started(resumed=True), recipe)
    for eta in (bounded, resumed):
        for number in range(1, 5):
            eta.took([batch(number)], 4.0 * number)
    assert bounded.seconds_left() == 5 * 60 - 3 * 4.0
    left = resumed.seconds_left()  # who knows what it has spent before
    assert left is not None
    assert left > 5 * 60
