"""What is frozen stands still to the bit, while the rest goes on."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import nn

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    Event,
    Finished,
    FrozenChanged,
    RunStarted,
    ValidationProgress,
    Warned,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models.build import build
from flowergui.learning.models.freeze import freeze
from flowergui.learning.training import optimizers
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]
Tensors = dict[str, torch.Tensor]
STEM = "stem"


def saved_at(recipe: Recipe, wishes: dict[int, tuple[str, ...]]) -> tuple[dict, list[Event]]:
    """Checkpoints by step, all of them, and the events. After a step's batch, its wish."""
    live, found, events = LiveRequests(), {}, []
    run = Path()
    for event in tasks.train(recipe, live):
        events.append(event)
        if isinstance(event, RunStarted):
            run = Path(event.run)
            live.save = True
        if isinstance(event, BatchDone):
            live.frozen, live.save = wishes.get(event.step), True
        if type(event).__name__ in ("Saved", "Finished"):
            stored = checkpoint.read(RunFolder(run).last)
            found[stored["step"]] = stored
    return found, events


def moved(before: Tensors, after: Tensors) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_what_is_frozen_while_it_goes_stands_still(
    little: Little, optimizer: str, ema: float
) -> None:
    recipe = little(optimizer=optimizer, ema=ema, weight_decay=0.1)
    found, events = saved_at(recipe, {2: (STEM,), 4: ()})
    names = set(found[2]["model"])
    frozen = {name for name in names if name.startswith(STEM + ".")}
    assert {"stem.1.running_mean", "stem.1.num_batches_tracked"} < frozen
    assert moved(found[0]["model"], found[2]["model"]) == names
    assert moved(found[2]["model"], found[4]["model"]) == names - frozen
    assert moved(found[4]["model"], found[6]["model"]) == names
    first, second = [event for event in events if isinstance(event, FrozenChanged)]
    assert (first.step, second.step, second.frozen) == (2, 4, ())
    assert set(first.frozen) == {n for n in frozen if n.rpartition(".")[2] in ("weight", "bias")}
    assert first.trainable < first.parameters == second.trainable


def test_what_is_frozen_from_the_start_never_moves(little: Little) -> None:
    found, _ = saved_at(little(frozen=("all-but-head",), weight_decay=0.5), {})
    assert moved(found[0]["model"], found[6]["model"]) == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
@pytest.mark.parametrize("resumed", [False, True])
def test_what_never_trained_begins_to(little: Little, optimizer: str, resumed: bool) -> None:
    """Heads first, all layers later: while it goes, and when the run is taken up again."""
    recipe = little(optimizer=optimizer, frozen=("all-but-head",), momentum=0.9)
    found, events = saved_at(recipe, {} if resumed else {2: (), 4: (STEM,), 5: ()})
    if resumed:
        (opened,) = [event for event in events if isinstance(event, RunStarted)]
        before = found[6]["model"]
        events = list(tasks.resume(opened.run, None, {"frozen": (), "epochs": 3}))
        after = checkpoint.read(RunFolder(Path(opened.run)).last)["model"]
    else:
        before, after = found[2]["model"], found[3]["model"]
    assert isinstance(events[-1], Finished)
    assert moved(before, after) == set(before)


def test_a_fresh_momentum_changes_no_step(little: Little) -> None:
    """Against torch's own, which makes it in the first step."""
    net = torch.nn.Linear(3, 2)
    twin = deepcopy(net)
    ours = optimizers.make_optimizer(
        net, little(optimizer="sgd", momentum=0.9), torch.device("cpu")
    )
    optimizers.init_momentum_buffers(ours)
    theirs = torch.optim.SGD(
        [{"params": [twin.weight], "weight_decay": 1e-4}, {"params": [twin.bias]}],
        lr=little().learning_rate, momentum=0.9,
    )  # fmt: skip
    ours.param_groups[0]["weight_decay"] = 1e-4
    for step in range(3):
        images = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
        for each, optimizer in ((net, ours), (twin, theirs)):
            optimizer.zero_grad()
            each(images).square().sum().backward()
            optimizer.step()
    assert torch.allclose(net.weight, twin.weight, atol=1e-7)
    assert torch.allclose(net.bias, twin.bias, atol=1e-7)


def test_the_moments_outlast_the_frost(little: Little) -> None:
    found, _ = saved_at(little(optimizer="adam"), {2: (STEM,), 4: ()})
    states = {step: found[step]["optimizer"]["state"][0] for step in (2, 3, 4, 5)}
    assert states[2]["exp_avg"].abs().sum() > 0
    for step in (3, 4):
        assert torch.equal(states[step]["exp_avg"], states[2]["exp_avg"])
        assert states[step]["step"] == states[2]["step"] == 2
    assert states[5]["step"] == 3
    # Adam's rule: the new moment is 0.9 of the old one and a tenth of the gradient.
    tenth = states[5]["exp_avg"] - 0.9 * states[2]["exp_avg"]
    squared = states[5]["exp_avg_sq"] - 0.999 * states[2]["exp_avg_sq"]
    assert torch.allclose((tenth / 0.1) ** 2, squared / 0.001, rtol=0.05, atol=1e-6)


def test_the_frost_outlasts_a_stop(little: Little) -> None:
    live = LiveRequests()
    for event in tasks.train(little(), live):
        if isinstance(event, BatchDone):
            live.frozen, live.stop = (STEM,), event.step == 2
    run = RunFolder(Path(event.run))
    before = checkpoint.read(run.last)["model"]
    opened = next(e for e in tasks.resume(run.path) if isinstance(e, RunStarted))
    assert opened.frozen == ("stem.0.weight", "stem.1.weight", "stem.1.bias")
    list(tasks.resume(run.path))
    after = checkpoint.read(run.last)["model"]
    assert not any(name.startswith(STEM) for name in moved(before, after))
    assert len(moved(before, after)) > 10


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_wish_during_validation_waits_for_training(little: Little, ema: float) -> None:
    def validated(wish: tuple[str, ...] | None) -> tuple[Tensors, list[float]]:
        live = LiveRequests()
        losses = []
        for event in tasks.train(little(epochs=1, batch_size=2, ema=ema), live):
            if isinstance(event, ValidationProgress) and event.batch == 1:
                live.frozen = wish
            if type(event).__name__ == "EpochDone":
                losses.append(event.val_loss)
        return checkpoint.read(RunFolder(Path(event.run)).last)["model"], losses

    plain, wished = validated(None), validated(("fc",))
    assert moved(plain[0], wished[0]) == set()  # validation photos taught it nothing
    assert plain[1] == wished[1]


@pytest.mark.parametrize(("wish", "says"), [(("*",), "Everything is frozen"), (("nie",), "'nie'")])
def test_a_wish_that_cannot_be_is_noted(little: Little, wish: tuple[str, ...], says: str) -> None:
    found, events = saved_at(little(), {2: wish})
    (note,) = [event for event in events if isinstance(event, Warned)]
    assert says in note.message
    assert not [event for event in events if isinstance(event, FrozenChanged)]
    assert moved(found[2]["model"], found[6]["model"]) == set(found[2]["model"])


def test_everything_frozen_is_refused_at_the_start(little: Little) -> None:
    with pytest.raises(FlowerError, match="Everything is frozen, so nothing can be trained"):
        list(tasks.train(little(frozen=("all-but-head", "fc"))))


def test_frozen_batch_normalisation_stands_still() -> None:
    net = build("mynet", 3, 32)
    names = [name for name, _ in net.named_parameters()]
    freeze(net, [name for name in names if not name.startswith("fc")])
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert net.training
    assert norms
    assert not any(norm.training for norm in norms)
    assert [name for name, p in net.named_parameters() if p.requires_grad] == [
        "fc.weight",
        "fc.bias",
    ]
    freeze(net, [])
    assert all(norm.training for norm in norms)
    assert all(p.requires_grad for p in net.parameters())


def test_half_a_frozen_batch_normalisation_goes_on() -> None:
    net = build("mynet", 3, 32)
    freeze(net, ["stem.1.weight"])
    assert net.stem[1].training


def test_freezing_forgets_the_gradient() -> None:
    net = build("mynet", 3, 32)
    net(torch.rand(2, 3, 32, 32)).sum().backward()
    freeze(net, ["fc.weight"])
    assert net.fc.weight.grad is None
    assert net.fc.bias.grad is not None
