"""The learning rate is torch's own, step by step, without torch's schedulers; sizes grow."""

import pytest
import torch
from torch.optim import SGD, lr_scheduler

from flowergui.config.recipe import Recipe
from flowergui.config.resizing import largest_training_size, training_size
from flowergui.learning.training.schedule import Schedule

EPOCHS, BATCHES = 7, 5


def schedule(**values: object) -> Schedule:
    return Schedule.of(Recipe(epochs=EPOCHS, learning_rate=0.01, **values), BATCHES)


def sgd() -> SGD:
    return SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.01)


def rates(optimizer: SGD, theirs, steps: int, each: int = 1) -> list[float]:
    """The learning rate of `steps` steps, where `theirs` advances after every `each` of them."""
    found = []
    for step in range(1, steps + 1):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if step % each == 0 and step < steps:
            theirs.step()
    return found


def ours(of: Schedule, steps: int = EPOCHS * BATCHES) -> list[float]:
    return [of.rate(step) for step in range(steps)]


def test_step() -> None:
    optimizer = sgd()
    theirs = rates(
        optimizer, lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.3), 35, each=BATCHES
    )
    assert ours(schedule(scheduler="step", step_size=2, gamma=0.3)) == pytest.approx(theirs)


def test_cosine() -> None:
    optimizer = sgd()
    theirs = rates(optimizer, lr_scheduler.CosineAnnealingLR(optimizer, T_max=35), 35)
    assert ours(schedule(scheduler="cosine")) == pytest.approx(theirs)


@pytest.mark.parametrize("batches", [1, 3, 5, 50])
def test_one_cycle(batches: int) -> None:
    optimizer = sgd()
    total = EPOCHS * batches
    theirs = rates(optimizer, lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=total), total)
    mine = Schedule.of(Recipe(epochs=EPOCHS, learning_rate=0.01, scheduler="one-cycle"), batches)
    assert ours(mine, total) == pytest.approx(theirs)


def test_plateau() -> None:
    optimizer = sgd()
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    mine = schedule(scheduler="plateau", plateau_patience=2, gamma=0.5)
    losses = [3, 2, 2, 2.1, 1.99999, 2, 1, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 0.5]
    lowered = set()
    for loss in losses:
        mine.epoch_ended(loss)
        theirs.step(loss)
        assert mine.rate(0) == pytest.approx(optimizer.param_groups[0]["lr"])
        lowered.add(mine.lowered)
    assert len(lowered) >= 3


def test_constant() -> None:
    assert set(ours(schedule(scheduler="none"))) == {0.01}


@pytest.mark.parametrize("kind", ["step", "cosine", "one-cycle", "plateau", "none"])
def test_a_schedule_never_ends_badly(kind: str) -> None:
    for batches in (1, 2, 3):
        mine = Schedule.of(Recipe(epochs=1, learning_rate=0.01, scheduler=kind), batches)
        assert all(0 <= rate <= 0.01 for rate in ours(mine, 3 * batches))


def test_the_base_may_change_while_it_goes() -> None:
    mine = schedule(scheduler="cosine")
    before = mine.rate(11)
    mine.base *= 2
    assert mine.rate(11) == pytest.approx(2 * before)


def test_what_it_remembers_is_restored() -> None:
    mine = schedule(scheduler="plateau", plateau_patience=1, gamma=0.5)
    for loss in (2.0, 3.0, 3.0, 3.0):
        mine.epoch_ended(loss)
    mine.base = 0.004
    again = schedule(scheduler="plateau", plateau_patience=1, gamma=0.5)
    again.load_state_dict(mine.state_dict())
    assert again == mine
    assert again.rate(0) == 0.002


def test_squares_grow_and_end_at_their_size() -> None:
    sizes = [training_size(64, 128, epoch, 10) for epoch in range(1, 11)]
    assert sizes == [64, 64, 64, 96, 96, 96, 128, 128, 128, 128]


@pytest.mark.parametrize("first", [0, 128, 200])
def test_squares_of_one_size(first: int) -> None:
    assert {training_size(first, 128, epoch, 10) for epoch in range(1, 11)} == {128}


@pytest.mark.parametrize(("first", "last", "epochs"), [(16, 100, 7), (48, 144, 1), (100, 112, 3)])
def test_squares_never_leave_their_bounds(first: int, last: int, epochs: int) -> None:
    sizes = [training_size(first, last, epoch, epochs) for epoch in range(1, epochs + 2)]
    assert sizes == sorted(sizes)
    assert first <= sizes[0] <= sizes[-1] <= last


@pytest.mark.parametrize("kind", ["cosine", "one-cycle", "step", "plateau"])
def test_it_may_begin_anew_for_the_epochs_that_are_left(kind: str) -> None:
    longer = schedule(scheduler=kind, step_size=2)
    longer.epochs = EPOCHS + 4
    longer.lowered = 0.5
    longer.restart(EPOCHS * BATCHES)
    short = Schedule.of(Recipe(epochs=4, learning_rate=0.01, scheduler=kind, step_size=2), BATCHES)
    theirs = [short.rate(step) for step in range(4 * BATCHES)]
    assert [longer.rate(EPOCHS * BATCHES + step) for step in range(4 * BATCHES)] == theirs
    again = schedule(scheduler=kind, step_size=2)
    again.epochs = EPOCHS + 4
    again.load_state_dict(longer.state_dict())
    assert again == longer


def test_epochs_of_another_length_leave_a_schedule_that_began_anew_where_it_is() -> None:
    """Ten epochs of 10 batches, ten more with a schedule of their own; from the fifth of these on
    the epochs have 20 batches."""
    before = Schedule.of(Recipe(epochs=20, learning_rate=1.0, scheduler="cosine"), 10)
    before.restart(100)
    after = Schedule.of(Recipe(epochs=20, learning_rate=1.0, scheduler="cosine"), 20)
    after.load_state_dict(before.state_dict())
    after.restart_epoch(step=143, epoch=15, batch=3)
    for epoch in range(15, 20):
        then = before.rate(10 * (epoch - 1))
        assert after.rate(143 + 20 * (epoch - 15)) == pytest.approx(then)
    first = Schedule.of(Recipe(epochs=4, learning_rate=1.0, scheduler="cosine"), 20)
    first.restart_epoch(step=3, epoch=1, batch=3)
    assert first.rate(3) == 1.0


def test_a_schedule_that_began_in_the_epoch_that_begins_anew() -> None:
    """Its first batches come once more: nothing is before its beginning."""
    late = schedule(scheduler="step", step_size=1)
    late.restart(2 * BATCHES + 3)
    late.restart_epoch(step=2 * BATCHES + 5, epoch=3, batch=5)
    assert late.rate(2 * BATCHES + 5) == late.base


def test_epochs_whose_photos_are_all_lost_are_no_steps() -> None:
    none = schedule(scheduler="cosine")
    none.restart_epoch(step=0, epoch=2, batch=0)
    assert none.rate(0) == schedule(scheduler="cosine").rate(BATCHES)


@pytest.mark.parametrize(
    ("wanted", "image_size", "largest"), [(192, 128, 128), (0, 128, 128), (96, 128, 96)]
)
def test_training_images_are_no_larger_than_others(
    wanted: int, image_size: int, largest: int
) -> None:
    assert largest_training_size(wanted, image_size) == largest


def test_an_epoch_that_was_cut_does_not_shorten_the_epochs_after_it() -> None:
    whole, cut = (schedule(scheduler="one-cycle") for _ in range(2))
    cut.skip(3)  # of the first epoch
    steps = EPOCHS * BATCHES
    assert [cut.rate(step) for step in range(2, steps - 3)] == [
        whole.rate(step + 3) for step in range(2, steps - 3)
    ]
