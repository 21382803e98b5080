"""Transfer: what is known is taken over, the head is new, and alone it learns."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    FeatureCacheStatus,
    Finished,
    Predicted,
    RunStarted,
    Warned,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models.build import build
from flowergui.learning.models.describe import head_of
from flowergui.learning.models.efficientnet_lite import VARIANTS
from flowergui.learning.models.packaged_weights import read_packaged
from flowergui.store import library
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]


def trained(recipe: Recipe) -> tuple[RunFolder, list]:
    events = list(tasks.train(recipe))
    assert isinstance(events[-1], Finished)
    return RunFolder(Path(events[-1].run)), events


def test_from_a_run_of_other_classes(little: Little, make_photos, tmp_path: Path) -> None:
    others = make_photos(tmp_path / "others", classes=5, per_class=4)
    before, _ = trained(little(photos=str(others), ema=0.5, epochs=1))
    after, events = trained(
        little(mode="transfer", weights=str(before.best), frozen=("all-but-head",))
    )
    known = checkpoint.read(before.best)["ema"]
    learned = checkpoint.read(after.last)["model"]
    assert learned["fc.weight"].shape == (3, 256)
    assert {name for name in known if not torch.equal(known[name], learned[name])} == {
        "fc.weight",
        "fc.bias",
    }
    opened = next(event for event in events if isinstance(event, RunStarted))
    assert (opened.mode, opened.trainable) == ("transfer", 256 * 3 + 3)
    assert not [event for event in events if isinstance(event, Warned)]


def test_the_size_is_that_of_the_weights(little: Little) -> None:
    before, _ = trained(little(image_size=48, epochs=1))
    recipe = little(mode="transfer", weights=str(before.last), image_size=0, epochs=1)
    _, events = trained(recipe)
    assert next(event for event in events if isinstance(event, RunStarted)).image_size == 48


def test_from_imagenet(little: Little, cached_weights: Callable[..., Path]) -> None:
    torch.manual_seed(3)
    known = get_model("resnet18", weights=None).state_dict()
    cached_weights("resnet18", known)
    run, events = trained(
        little(mode="transfer", model="resnet18", frozen=("all-but-head",), epochs=1)
    )
    stored = checkpoint.read(run.last)
    assert stored["model"]["fc.weight"].shape == (3, 512)
    assert stored["normalisation"]["mean"] == [0.485, 0.456, 0.406]
    moved = {n for n in known if not torch.equal(known[n], stored["model"][n])}
    assert moved == {"fc.weight", "fc.bias"}
    assert len([event for event in events if isinstance(event, BatchDone)]) == 3


def test_from_weights_that_are_installed(little: Little) -> None:
    """Without the internet: features of its frozen layers, its own normalization, reasons."""
    recipe = little(
        mode="transfer", model="efficientnet_lite0", frozen=("all-but-head",), image_size=64,
        augmentation="light", cached_views=2, weights="imagenet",
    )  # fmt: skip
    run, events = trained(recipe)
    known = read_packaged(VARIANTS["efficientnet_lite0"].weights)
    stored = checkpoint.read(run.last)
    assert stored["normalisation"] == {"mean": [127 / 255] * 3, "std": [128 / 255] * 3}
    assert stored["model"]["fc.weight"].shape == (3, 1280)
    assert torch.equal(stored["model"]["stem.conv.weight"], known["_conv_stem.weight"])
    assert torch.equal(
        stored["model"]["stages.6.0.project.norm.running_var"], known["_blocks.15._bn2.running_var"]
    )
    assert [e.views for e in events if isinstance(e, FeatureCacheStatus) and e.part == "train"] == [
        2
    ]
    photo = next(Path(recipe.photos).rglob("*.jpg"))
    predicted, explained = tasks.predict(run.path, [photo], why=True)
    assert isinstance(predicted, Predicted)
    assert max(max(row) for row in explained.heatmaps[0]) == 1


@pytest.mark.parametrize("model", ["squeezenet1_1", "mnasnet0_5", "googlenet"])
def test_heads_of_other_kinds(little: Little, tmp_path: Path, model: str) -> None:
    torch.manual_seed(3)
    options = {"init_weights": True} if model == "googlenet" else {}
    theirs = get_model(model, weights=None, **options).state_dict()
    torch.save(theirs, tmp_path / "theirs.pth")
    recipe = little(
        mode="transfer",
        model=model,
        weights=str(tmp_path / "theirs.pth"),
        frozen=("all-but-head",),
        epochs=1,
        image_size=64,
    )
    run, _ = trained(recipe)
    learned = checkpoint.read(run.last)["model"]
    moved = {
        n for n in learned if learned[n].shape != theirs[n].shape or (learned[n] != theirs[n]).any()
    }
    assert moved == set(head_of(model))
    guess = list(tasks.predict(run.path, [next(Path(recipe.photos).rglob("*.jpg"))]))
    assert type(guess[0]).__name__ == "Predicted"


def test_what_did_not_fit_is_noted(little: Little, tmp_path: Path) -> None:
    theirs = build("mynet", 9, 32).state_dict()
    del theirs["stages.0.0.weight"]
    torch.save(theirs, tmp_path / "theirs.pth")
    _, events = trained(little(mode="transfer", weights=str(tmp_path / "theirs.pth"), epochs=1))
    (note,) = [event.message for event in events if isinstance(event, Warned)]
    assert note == "1 tensor did not fit and is initialized: stages.0.0.weight."


def test_from_a_smaller_relative(little: Little, tmp_path: Path) -> None:
    """Another architecture: what fits is taken, and what does not is listed."""
    theirs = get_model("resnet18", weights=None).state_dict()
    torch.save(theirs, tmp_path / "theirs.pth")
    recipe = little(
        mode="transfer", model="resnet34", weights=str(tmp_path / "theirs.pth"), image_size=32,
        epochs=1, batch_size=12,
    )  # fmt: skip
    _, events = trained(recipe)
    (note,) = [event.message for event in events if isinstance(event, Warned)]
    assert "tensors did not fit and are initialized: layer1.2." in note


def test_weights_of_another_network(little: Little, tmp_path: Path, models: Path) -> None:
    torch.save(get_model("squeezenet1_1", weights=None).state_dict(), tmp_path / "theirs.pth")
    with pytest.raises(FlowerError, match=r"theirs\.pth .* of squeezenet1_1, not of mynet"):
        list(tasks.train(little(mode="transfer", weights=str(tmp_path / "theirs.pth"))))
    assert not models.exists()


# --- photos that the weights have learned from ------------------------------------------------


def test_the_same_photos_are_not_split_anew(little: Little, models: Path) -> None:
    before, _ = trained(little(epochs=1))
    wish = little(mode="transfer", weights=str(before.best), epochs=1)
    for other in (replace(wish, seed=1), replace(wish, validation_fraction=0.4)):
        with pytest.raises(FlowerError, match=r"best\.pth was trained on these images") as no:
            list(tasks.train(other))
        assert "(data leakage)" in no.value.message
        assert "the seed (0) and the validation fraction (0.2)" in no.value.hint
    assert len(library.runs()) == 1
    after, _ = trained(wish)
    assert after.split() == before.split()


def test_photos_that_came_later_mix_nothing(little: Little, make_photos, tmp_path: Path) -> None:
    here = make_photos(tmp_path / "here")
    before, _ = trained(little(photos=str(here), epochs=1))
    more = make_photos(tmp_path / "more", per_class=10, side=40)
    for number in range(10):
        (more / "iris" / f"iris_{number}.jpg").rename(here / "iris" / f"a new one {number}.jpg")
    after, _ = trained(
        little(photos=str(here), mode="transfer", weights=str(before.best), epochs=1)
    )
    old, new = set(before.split()), set(after.split())
    assert old < new
    assert {part for path, _, part in new - old} == {"train", "validation"}
    assert sum(part == "validation" for _, _, part in new - old) == 2


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_weights_far_from_their_run_go_on_with_its_photos_only_as_they_were(
    little: Little, make_photos, tmp_path: Path, ending: str
) -> None:
    here = make_photos(tmp_path / "here")
    before, _ = trained(little(photos=str(here), epochs=1))
    weights = tmp_path / f"elsewhere{ending}"
    if ending == ".pth":
        shutil.copy(before.best, weights)
    else:
        list(tasks.export(before.path, weights))
    wish = little(photos=str(here), mode="transfer", weights=str(weights), epochs=1)
    after, _ = trained(wish)
    assert after.split() == before.split()
    shutil.copy(here / "iris" / "iris_0.jpg", here / "iris" / "a new one.jpg")
    with pytest.raises(FlowerError, match="which have changed since") as refused:
        list(tasks.train(wish))
    assert "best.pth in that folder" in refused.value.hint
    (here / "iris" / "a new one.jpg").unlink()
    (here / "val").mkdir()
    for name in ("iris", "lily"):
        shutil.copytree(here / name, here / "val" / name)
    (here / "train").mkdir()
    for name in ("iris", "lily", "daisy"):
        (here / name).rename(here / "train" / name)
    trained(wish)  # what is held back is the folder's own choice


def test_other_photos_may_be_split_as_one_likes(little: Little, make_photos, tmp_path: Path):
    before, _ = trained(little(epochs=1))
    others = make_photos(tmp_path / "others")
    trained(little(photos=str(others), mode="transfer", weights=str(before.best), seed=5, epochs=1))


def test_a_folder_that_is_split_already_may_be_trained_with_another_seed(
    little: Little, make_photos, tmp_path: Path
) -> None:
    make_photos(tmp_path / "here" / "train")
    make_photos(tmp_path / "here" / "val", per_class=3)
    recipe = little(photos=str(tmp_path / "here"), epochs=1)
    before, _ = trained(recipe)
    after, _ = trained(replace(recipe, mode="transfer", weights=str(before.best), seed=1))
    assert after.split() == before.split()
