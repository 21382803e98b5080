"""A network takes steps without a run, and its state survives a file of any version."""

from collections.abc import Callable, Generator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from model_states import CONFIG, batch, made
from torch import nn

from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.learning.acceleration.precision import Precision
from flowergui.learning.data.scan import scan
from flowergui.learning.data.split import split_photos
from flowergui.learning.models import weights
from flowergui.learning.models.build import build
from flowergui.learning.models.catalogue import provider_of
from flowergui.learning.models.pretrained import Pretrained
from flowergui.learning.training import new_run
from flowergui.learning.training.model_state import (
    ModelState,
    NonFiniteLossError,
    eval_but_synced,
)

Little = Callable[..., Recipe]
Result = TypeVar("Result")


def test_a_learning_rate_finder_needs_no_run_folder(little: Little) -> None:
    model = made(little(optimizer="sgd"))
    before = torch.get_rng_state()
    images, labels = batch()
    rates = [1e-4 * 4**power for power in range(8)]
    losses = [model.step(images, labels, rate)[0] for rate in rates]
    assert torch.equal(torch.get_rng_state(), before)
    assert model.steps == 8
    assert losses[4] < losses[0]
    assert {group["lr"] for group in model.optimizer.param_groups} == {rates[-1]}


def test_a_model_is_prepared_without_a_run_folder(
    little: Little, models: Path, tmp_path: Path
) -> None:
    """From a folder of images to a step with the recipe's weights and frozen layers."""
    torch.save(build("mynet", 9, 32).state_dict(), tmp_path / "theirs.pth")
    recipe = little(mode="transfer", weights=str(tmp_path / "theirs.pth"), frozen=("stem",))
    found = returned(scan(Path(recipe.photos), thorough=False))
    split = split_photos(found, recipe.validation_fraction, recipe.seed)
    pretrained = returned(weights.load(recipe.model, recipe.weights))
    new = new_run.NewRun(split, models, pretrained=pretrained)
    recipe, model, warnings = new_run.prepare_model(recipe, new, Precision(torch.float32))
    assert warnings == []
    assert model.frozen[0].startswith("stem")
    assert torch.equal(model.net.state_dict()["stem.0.weight"], pretrained.tensors["stem.0.weight"])
    model.step(*batch(), 0.001)
    assert not models.exists()


@pytest.mark.parametrize(("model", "epochs"), [("vit_b_32", 10), ("maxvit_t", 60)])
def test_the_training_size_of_the_preset_stops_no_network(
    little: Little, models: Path, model: str, epochs: int
) -> None:
    recipe = with_preset(little(mode="transfer", model=model), "recommended")
    found = returned(scan(Path(recipe.photos), thorough=False))
    split = split_photos(found, recipe.validation_fraction, recipe.seed)
    normalization = provider_of(model).normalization(model, 0)
    pretrained = Pretrained("theirs.pth", build(model, 9, 224).state_dict(), 224, *normalization)
    new = new_run.NewRun(split, models, pretrained=pretrained)
    float32 = Precision(torch.float32)
    as_it_is, _, warnings = new_run.prepare_model(recipe, new, float32)
    assert (as_it_is.training_size, as_it_is.epochs) == (0, epochs)
    assert f"{model} can't take images of 192 px" in warnings[0]
    changed, _, _ = new_run.prepare_model(replace(recipe, batch_size=16), new, float32)
    assert changed.training_size == 0


def returned(events: Generator[Any, None, Result]) -> Result:
    """What a generator of events returns."""
    while True:
        try:
            next(events)
        except StopIteration as end:
            return end.value


def test_features_of_frozen_layers_do_as_the_images_would(little: Little) -> None:
    one, other = made(little(ema=0.9)), made(little(ema=0.9))
    images, labels = batch()
    for model in (one, other):
        model.freeze(["all-but-head"])
        assert model.trainable()[0] == 3 * 256 + 3
    features = other.frozen_split.backbone(images)
    assert [one.step(images, labels, 0.01) for _ in range(3)] == [
        other.step(features, labels, 0.01) for _ in range(3)
    ]


def test_a_state_dict_is_all_that_the_next_step_depends_on(little: Little) -> None:
    recipe = little(ema=0.9, optimizer="adam")
    images, labels = batch()
    one = made(recipe)
    one.freeze(["stem"])
    one.step(images, labels, 0.01)
    other = ModelState(build("mynet", 3, 32), recipe, CONFIG, 3)
    state = deepcopy(one.state_dict())
    other.load_state_dict({**state, "from a later version": 1})
    assert (other.frozen, other.steps) == (one.frozen, 1)
    other.train()
    assert one.step(images, labels, 0.01) == other.step(images, labels, 0.01)
    assert one.evaluate(images, labels) == other.evaluate(images, labels)


def test_without_an_average_in_it_the_average_starts_at_the_weights(little: Little) -> None:
    state = made(little()).state_dict()
    model = ModelState(build("mynet", 3, 32), little(ema=0.9), CONFIG, 3)
    model.load_state_dict({name: state[name] for name in ("model", "optimizer")})
    assert torch.equal(model.eval_model.state_dict()["fc.weight"], state["model"]["fc.weight"])


def test_a_loss_that_is_not_finite_changes_no_weight(little: Little) -> None:
    model = made(little())
    before = {name: each.clone() for name, each in model.net.named_parameters()}
    images, labels = batch()
    with pytest.raises(NonFiniteLossError, match="The loss became nan") as raised:
        model.step(images * float("nan"), labels, 0.01)
    assert raised.value.loss != raised.value.loss  # NaN
    assert all(torch.equal(each, before[name]) for name, each in model.net.named_parameters())
    assert not any(each.grad is not None for each in model.net.parameters())


def test_a_process_without_images_takes_part_in_synced_statistics() -> None:
    net = nn.Sequential(
        nn.SyncBatchNorm(2), nn.BatchNorm2d(2), nn.Dropout(), nn.SyncBatchNorm(2).eval()
    )
    eval_but_synced(net)
    assert [each.training for each in net] == [True, False, False, False]
