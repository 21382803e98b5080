"""How long a run will still take, where a time budget bounds it."""

from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.desktop.training.eta import Eta
from flowergui.events import BatchDone, RunStarted


def started(*, resumed: bool) -> RunStarted:
    return RunStarted(
        "run", "efficientnet_lite0", "transfer", ("rose", "tulip"), 320, 80, 288, "cpu", "float32",
        10, 10, 1, 0, 0, 9, 36, (), resumed,
    )  # fmt: skip


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
