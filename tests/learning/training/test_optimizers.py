"""Parameter groups: weight decay for some, and learning rates that fall from stage to stage."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from model_states import CONFIG, batch, made

from flowergui.config.recipe import Recipe
from flowergui.learning.models.build import build
from flowergui.learning.models.describe import describe
from flowergui.learning.training.model_state import ModelState
from flowergui.learning.training.optimizers import make_optimizer

Little = Callable[..., Recipe]
STAGES = describe("mynet", 3, 32).stages
DEPTHS = {name: stage.depth for stage in STAGES for name in stage.parameters}


@pytest.mark.parametrize(
    "recipe", [{}, {"layer_decay": 0.5}, {"mode": "transfer", "layer_decay": 1.0}]
)
def test_without_decay_there_are_the_two_groups_of_always(
    little: Little, recipe: dict[str, object]
) -> None:
    """From scratch the setting has no effect."""
    net = build("mynet", 3, 32)
    groups = make_optimizer(net, little(**recipe), torch.device("cpu"), STAGES).param_groups
    parameters = list(net.parameters())
    assert [group["weight_decay"] for group in groups] == [0.05, 0.0]
    assert [id(p) for p in groups[0]["params"]] == [id(p) for p in parameters if p.ndim > 1]
    assert [id(p) for p in groups[1]["params"]] == [id(p) for p in parameters if p.ndim <= 1]
    assert not any("lr_scale" in group for group in groups)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_every_stage_has_its_share_of_the_learning_rate(little: Little, optimizer: str) -> None:
    recipe = little(mode="transfer", layer_decay=0.5, optimizer=optimizer)
    model = made(recipe)
    model.step(*batch(), 0.01)
    names = {id(p): name for name, p in model.net.named_parameters()}
    rates = {names[id(p)]: g["lr"] for g in model.optimizer.param_groups for p in g["params"]}
    assert rates == {name: 0.01 * 0.5**depth for name, depth in DEPTHS.items()}
    decays = {
        names[id(p)]: g["weight_decay"] for g in model.optimizer.param_groups for p in g["params"]
    }
    assert {name for name, decay in decays.items() if decay} == {
        name for name, p in model.net.named_parameters() if p.ndim > 1
    }


def test_a_step_of_sgd_is_as_much_shorter(little: Little) -> None:
    recipe = little(mode="transfer", optimizer="sgd", momentum=0.0, weight_decay=0.0)
    moved = {}
    for decay in (1.0, 0.5):
        model = made(Recipe(**{**recipe.as_dict(), "frozen": (), "unfreeze_schedule": (),
                               "layer_decay": decay}))  # fmt: skip
        before = {name: p.detach().clone() for name, p in model.net.named_parameters()}
        model.step(*batch(), 0.1)
        moved[decay] = {n: (p.detach() - before[n]) for n, p in model.net.named_parameters()}
    for name, depth in DEPTHS.items():
        assert torch.allclose(moved[0.5][name], moved[1.0][name] * 0.5**depth, atol=1e-7), name


def test_its_state_is_restored_to_the_bit(little: Little) -> None:
    recipe = little(mode="transfer", layer_decay=0.7, ema=0.9)
    one = made(recipe)
    one.freeze(("stem", "stages.0"))
    one.train()
    one.step(*batch(), 0.01)
    torch.manual_seed(5)
    other = ModelState(build("mynet", 3, 32), recipe, CONFIG, 3)
    other.load_state_dict(deepcopy(one.state_dict()))  # it holds the live tensors
    for model in (one, other):
        model.freeze(("stem",))
        model.train()
        model.step(*batch(), 0.02)
    pairs = zip(one.net.parameters(), other.net.parameters(), strict=True)
    assert all(torch.equal(mine, theirs) for mine, theirs in pairs)
