"""A run that is taken up again ends as if it had never been left."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import equal, finished, same_end, stopped

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    EpochDone,
    Event,
    Finished,
    RunStarted,
    Saved,
    Stopped,
    ValidationProgress,
    Warned,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.device import hardware
from flowergui.learning.models.build import build
from flowergui.learning.models.catalogue import model_catalogue, model_info
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]

AT = {
    "mid-epoch": lambda event: isinstance(event, BatchDone) and event.step == 2,
    "last batch": lambda event: isinstance(event, BatchDone) and event.step == 3,
    "mid-validation": lambda event: isinstance(event, ValidationProgress) and event.batch == 1,
    "end of epoch": lambda event: isinstance(event, EpochDone) and event.epoch == 1,
    "second epoch": lambda event: isinstance(event, BatchDone) and event.step == 5,
}

RECIPES: dict[str, dict[str, Any]] = {
    "plain": {"batch_size": 6},
    "rich": {
        "augmentation": "strong",
        "mixup": 0.2,
        "cutmix": 1.0,
        "ema": 0.9,
        "scheduler": "one-cycle",
        "image_size": 64,
        "first_training_size": 32,
    },
    "plateau": {"scheduler": "plateau", "plateau_patience": 1, "epochs": 4, "optimizer": "sgd"},
    "dropout": {"model": "mobilenet_v3_small", "optimizer": "rmsprop"},
    "installed weights": {
        "mode": "transfer",
        "model": "efficientnet_lite0",
        "frozen": ("all-but-last-stage",),
        "augmentation": "light",
    },
    "frozen": {"frozen": ("stem", "stages.0"), "weight_decay": 0.1},
    "bfloat16": {"precision": "bfloat16", "augmentation": "light", "ema": 0.99},
    "cosine": {"scheduler": "cosine", "optimizer": "adam", "label_smoothing": 0.1, "cutmix": 1.0},
    "steps": {"scheduler": "step", "step_size": 1, "drop_last": True, "mixup": 0.4},
    "features": {"frozen": ("stem", "stages.0", "stages.1"), "epochs": 3, "label_smoothing": 0.1},
    "views": {
        "frozen": ("all-but-head",),
        "augmentation": "light",
        "cached_views": 2,
        "epochs": 4,
        "ema": 0.9,
        "precision": "bfloat16",
    },
    "training size": {"training_size": 48, "image_size": 64, "augmentation": "light"},
}


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Recipe], RunFolder]:
    """The run of a recipe from its beginning to its end, trained once."""
    runs: dict[Recipe, RunFolder] = {}

    def train(recipe: Recipe) -> RunFolder:
        if recipe not in runs:
            home = tmp_path_factory.mktemp("whole")
            runs[recipe] = finished(list(tasks.train(recipe, models=home)))
        return runs[recipe]

    return train


@pytest.mark.parametrize("at", AT)
def test_wherever_it_was_stopped(little: Little, whole, at: str) -> None:
    recipe = little(**RECIPES["rich"], batch_size=2)  # 9 batches, 2 of validation
    run = stopped(recipe, AT[at])
    events = list(tasks.resume(run.path))
    same_end(finished(events), whole(recipe))


@pytest.mark.parametrize("kind", RECIPES)
@pytest.mark.parametrize("workers", [0, 2])
def test_whatever_the_recipe(little: Little, whole, kind: str, workers: int) -> None:
    recipe = little(**RECIPES[kind])
    run = stopped(replace(recipe, workers=workers), AT["second epoch"])
    same_end(finished(list(tasks.resume(run.path))), whole(recipe))


def pairs() -> Iterator[Any]:
    """Every recipe with every place to stop at would be too many: each recipe at two places, so
    that each place has all kinds of recipes, with and without loading threads."""
    places = list(AT)
    for number, kind in enumerate(RECIPES):
        chosen = places[number % len(places)], places[(2 * number + 2) % len(places)]
        for place in dict.fromkeys(chosen):  # a set's order is another in each process
            yield pytest.param(kind, place, 2 * (number % 2), id=f"{kind}-{place}-{number % 2}")


@pytest.mark.parametrize(("kind", "at", "workers"), list(pairs()))
def test_whatever_the_recipe_and_wherever_it_was_stopped(
    little: Little, whole, kind: str, at: str, workers: int
) -> None:
    size = 2 if at == "mid-validation" else 6  # validation has two batches then
    recipe = little(**{"batch_size": size, **RECIPES[kind]})
    run = stopped(replace(recipe, workers=workers), AT[at])
    same_end(finished(list(tasks.resume(run.path))), whole(recipe))


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_layers_that_were_frozen_while_it_went(little: Little, tmp_path: Path, ema: float) -> None:
    """Frozen after step 2, thawed after step 5, stopped between: as if it had not been."""

    def train(events: Iterator[Event], live: LiveRequests, stop: int) -> RunFolder:
        for event in events:
            if isinstance(event, BatchDone):
                if event.step == 2:
                    live.frozen = ("stem", "stages.0", "stages.1")
                elif event.step == 5:
                    live.frozen = ()
                live.stop = event.step == stop
        return RunFolder(Path(event.run))

    recipe = little(epochs=3, ema=ema)
    whole = train(tasks.train(recipe, live := LiveRequests(), tmp_path / "whole"), live, 0)
    run = train(tasks.train(recipe, live := LiveRequests()), live, 4)
    assert checkpoint.read(run.last)["frozen"][0].startswith("stem")
    same_end(train(tasks.resume(run.path, live := LiveRequests()), live, 0), whole)


@pytest.mark.parametrize("budget", [0, 10_000])
def test_photos_need_not_fit_into_memory(little: Little, whole, monkeypatch, budget: int) -> None:
    """None of the decoded ones kept, or some, before the stop and after it."""
    recipe = little(**RECIPES["rich"])
    run = stopped(recipe, AT["mid-epoch"])
    monkeypatch.setattr(hardware, "free_memory", lambda on=None: 4 * budget)
    same_end(finished(list(tasks.resume(run.path))), whole(recipe))


def test_stopped_again_and_again(little: Little, whole) -> None:
    recipe = little(**RECIPES["rich"])
    run = stopped(recipe, AT["mid-epoch"])
    for _ in range(3):
        live = LiveRequests()
        for event in tasks.resume(run.path, live):
            live.stop = live.stop or isinstance(event, BatchDone)
    same_end(finished(list(tasks.resume(run.path))), whole(recipe))


def test_what_it_went_on_from_is_kept(little: Little) -> None:
    run = stopped(little(epochs=3), AT["mid-epoch"])
    for _ in range(2):  # the second time, it is a link to the same file already
        before = run.last.read_bytes()
        live = LiveRequests()
        for event in tasks.resume(run.path, live):
            live.save = isinstance(event, BatchDone)
            live.stop = live.stop or isinstance(event, EpochDone)
            if isinstance(event, RunStarted):
                assert run.resumed.samefile(run.last)
        assert run.resumed.read_bytes() == before
        assert run.last.read_bytes() != before
    assert not list(run.path.glob(".*.tmp"))
    list(tasks.resume(run.resumed))  # and can be gone on from


def test_opened_says_where_it_stands(little: Little) -> None:
    run = stopped(little(), AT["second epoch"])
    (opened,) = [event for event in tasks.resume() if isinstance(event, RunStarted)]  # the newest
    assert opened.run == str(run.path)
    assert (opened.epoch, opened.batch, opened.step, opened.resumed) == (2, 2, 5, True)


def test_killed_between_the_last_checkpoint_and_the_best(
    little: Little, saves_at_once: None
) -> None:
    """best.pth is still an older network then, and becomes that of last.pth."""
    recipe = little(epochs=3)
    whole = finished(list(tasks.train(recipe)))
    run = stopped(recipe, AT["end of epoch"])
    assert checkpoint.read(run.best)["progress"]["best_epoch"] == 1
    stored = checkpoint.read(run.best)
    stored["progress"] |= {"best_epoch": 0, "epoch": 1, "batch": 1}
    stored["model"] = {name: torch.zeros_like(each) for name, each in stored["model"].items()}
    checkpoint.write(stored, run.best)
    live = LiveRequests()
    for event in tasks.resume(run.path, live):
        live.stop = live.stop or isinstance(event, BatchDone)
    assert any(each.any() for each in checkpoint.read(run.best)["model"].values())
    list(tasks.resume(run.path))
    same_end(run, whole)


@pytest.mark.parametrize("at", ["mid-epoch", "second epoch"])
def test_a_best_that_is_gone_is_looked_for_again(
    little: Little, saves_at_once: None, at: str
) -> None:
    run = stopped(little(epochs=3), AT[at])
    run.best.unlink(missing_ok=True)
    events = list(tasks.resume(run.path))
    assert isinstance(events[-1], Finished)
    assert run.best.is_file()
    assert checkpoint.read(run.best)["progress"]["best_epoch"] == events[-1].best_epoch


def test_rows_after_the_checkpoint_are_dropped(little: Little, whole) -> None:
    run = stopped(little(), AT["mid-epoch"])
    run.history.append([BatchDone(1, 3, 3, 3, 9.9, 0.0, 0.1, 6)])  # the run died after this
    same_end(finished(list(tasks.resume(run.path))), whole(little()))


def test_killed_between_the_history_and_the_checkpoint_of_an_epoch(little: Little, whole) -> None:
    live = LiveRequests()
    for event in tasks.train(little(), live):
        if isinstance(event, BatchDone) and event.step == 3:
            live.save = True  # the last one of its epoch, before its validation
        if isinstance(event, Saved) and event.batch == 3:
            before = Path(event.path).read_bytes()
        live.stop = live.stop or isinstance(event, EpochDone)
    run = RunFolder(Path(event.run))
    run.last.write_bytes(before)
    assert isinstance(list(run.history.events())[-1], EpochDone)
    same_end(finished(list(tasks.resume(run.path))), whole(little()))


@pytest.mark.parametrize("last", [None, b"", b"half of it"])
def test_previous_helps_where_last_is_broken(little: Little, whole, last: bytes | None) -> None:
    live, saves = LiveRequests(), 0
    for event in tasks.train(little(), live):
        if isinstance(event, BatchDone):
            saves += 1
            live.save, live.stop = saves == 1, saves == 2
    assert isinstance(event, Stopped)
    run = RunFolder(Path(event.run))
    run.last.unlink()
    if last is not None:
        run.last.write_bytes(last)
    events = list(tasks.resume(run.path))
    assert [event.message for event in events if isinstance(event, Warned)] == [
        "last.pth is missing or damaged, so the run continues from previous.pth."
    ]
    same_end(finished(events), whole(little()))


@pytest.fixture
def saved_twice(little: Little) -> RunFolder:
    """A run that was stopped, with a last.pth and a previous.pth."""
    live, saves = LiveRequests(), 0
    for event in tasks.train(little(), live):
        if isinstance(event, BatchDone):
            saves += 1
            live.save, live.stop = saves == 1, saves == 2
    run = RunFolder(Path(event.run))
    assert run.previous.exists()
    return run


@pytest.mark.parametrize("source", ["folder", "previous.pth"])
def test_a_last_that_can_not_be_read_now_is_not_given_up(
    saved_twice: RunFolder, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    run, really = saved_twice, Path.open
    files = {path: path.read_bytes() for path in run.path.iterdir() if path.is_file()}

    def refused(path: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        if path == run.last:
            raise PermissionError(13, "Permission denied")
        return really(path, mode, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refused)
        path = run.path if source == "folder" else run.previous
        with pytest.raises(FlowerError, match=r"last\.pth can't be read: Permission denied") as e:
            list(tasks.resume(path))
    assert "previous.pth" in e.value.hint
    assert {path: path.read_bytes() for path in run.path.iterdir() if path.is_file()} == files


def test_a_last_that_is_gone_and_a_previous_that_can_not_be_read_now(
    saved_twice: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise MemoryError

    saved_twice.last.unlink()
    monkeypatch.setattr(torch, "load", refuse)
    with pytest.raises(FlowerError, match=r"previous\.pth can't be read: there is not enough mem"):
        list(tasks.resume(saved_twice.path))


def test_a_run_goes_on_beside_what_could_not_be_copied(
    saved_twice: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    runs = {*saved_twice.path.parent.iterdir()}
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(FlowerError, match=r"history\.csv can't be kept as history\.csv: No space"):
        list(tasks.resume(saved_twice.previous))
    assert {*saved_twice.path.parent.iterdir()} == runs


def test_a_run_that_goes_on_elsewhere_is_left_alone(little: Little, whole) -> None:
    run = stopped(little(), AT["mid-epoch"])
    going = tasks.resume(run.path)
    assert isinstance(next(going), RunStarted)
    with pytest.raises(FlowerError, match="already training in another window or terminal"):
        list(tasks.resume(run.path))
    same_end(finished(list(going)), whole(little()))
    half = run.path / ".last.pth.abc.tmp"
    half.write_bytes(b"a save that was killed")
    list(tasks.resume(run.path, changes={"epochs": 3}))
    assert not half.exists()


def test_what_was_saved_while_a_resume_got_ready_is_what_it_goes_on_from(
    little: Little, whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window that stops a run just now has the folder till it has saved."""
    run = stopped(little(), AT["mid-epoch"])
    real = RunFolder.locked
    later: list[int] = []

    def held(self: RunFolder) -> Any:
        if not later:  # the last moment in which another may have it
            later.append(1)
            live = LiveRequests()
            for event in tasks.resume(run.path, live):
                live.stop = live.stop or isinstance(event, BatchDone)
            later.append(checkpoint.read(run.last)["step"])
        return real(self)

    monkeypatch.setattr(RunFolder, "locked", held)
    events = list(tasks.resume(run.path))
    (opened,) = [event for event in events if isinstance(event, RunStarted)]
    assert opened.step == later[1] > 0
    same_end(finished(events), whole(little()))


def test_an_exported_network_goes_on_as_it_was_trained(little: Little, tmp_path: Path) -> None:
    """It knows its image size, its normalisation, and which photos it has not learned from."""
    before = finished(list(tasks.train(little(seed=5, validation_fraction=0.4))))
    out = tmp_path / "out" / "net.safetensors"
    list(tasks.export(before.path, out))
    changes = {"photos": little().photos, "epochs": 1}
    changes["image_size"] = 0  # as a window says that it may be the network's own
    after = finished(list(tasks.resume(out, changes=changes)))
    stored = checkpoint.read(after.last)
    assert stored["image_size"] == 32
    assert stored["normalisation"] == checkpoint.read(before.last)["normalisation"]
    assert after.split() == before.split()
    with pytest.raises(FlowerError, match="data leakage"):
        list(tasks.resume(out, changes={**changes, "seed": 6}))


def test_a_finished_run_says_so_and_can_be_prolonged(little: Little) -> None:
    run = finished(list(tasks.train(little())))
    before = run.last.read_bytes()
    noted, done = tasks.resume(run.path)
    assert isinstance(noted, Warned)
    assert noted.message.startswith("This run has done all its 2 epochs.")
    assert isinstance(done, Finished)
    assert done.epochs == 2
    assert run.last.read_bytes() == before
    noted, done = tasks.resume(run.path, changes={"epochs": 1})
    assert noted.message.startswith("This run has done 2 epochs already.")
    assert done.epochs == 2
    (checked,) = tasks.check_resume(run.path, {"epochs": 1})
    assert checked.checks[0].detail == "2 are done already, more than 1"
    events = list(tasks.resume(run.path, changes={"epochs": 3}))
    assert [e.epoch for e in events if isinstance(e, EpochDone)] == [3]
    assert run.recipe().epochs == 3


def test_what_may_change(little: Little) -> None:
    run = stopped(little(scheduler="none"), AT["mid-epoch"])
    changes = {"learning_rate": 0.0005, "frozen": ("all-but-head",), "workers": 2}
    events = list(tasks.resume(run.path, changes=changes))
    opened = next(event for event in events if isinstance(event, RunStarted))
    assert opened.trainable == 256 * 3 + 3
    assert {e.learning_rate for e in events if isinstance(e, BatchDone)} == {0.0005}


def test_the_photos_may_have_moved(little: Little, make_photos, tmp_path: Path, whole) -> None:
    there = make_photos(tmp_path / "there")
    run = stopped(little(photos=str(there)), AT["mid-epoch"])
    there.rename(tmp_path / "here")
    with pytest.raises(FlowerError, match="The images of this run are no longer in"):
        list(tasks.resume(run.path))
    with pytest.raises(FlowerError, match="Most images of this run are no longer in"):
        list(tasks.resume(run.path, changes={"photos": str(tmp_path)}))
    events = list(tasks.resume(run.path, changes={"photos": str(tmp_path / "here")}))
    weights = checkpoint.read(finished(events).last)["model"]
    assert equal(weights, checkpoint.read(whole(little()).last)["model"])


def test_a_photo_that_is_gone_is_noted_and_new_ones_do_not_come_in(
    little: Little, make_photos, tmp_path: Path
) -> None:
    there = make_photos(tmp_path / "there")
    run = stopped(little(photos=str(there)), AT["mid-epoch"])
    (there / "iris" / "iris_0.jpg").rename(there / "iris" / "new.jpg")
    events = list(tasks.resume(run.path))
    notes = [event.message for event in events if isinstance(event, Warned)]
    assert notes[0] == "1 image of this run is missing: iris/iris_0.jpg"
    opened = next(event for event in events if isinstance(event, RunStarted))
    assert (opened.train_photos, opened.validation_photos) == (18, 6)


# --- refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "resnet18"}, "Network can't be changed"),
        ({"seed": 3}, "Seed can't be changed"),
        ({"batch_size": 3}, "Batch size can't be changed"),
        ({"invented": 3}, "invented can't be changed"),
        ({"epochs": 0}, "Epochs must lie between"),
        ({"frozen": ("*",)}, "Everything is frozen"),
    ],
)
def test_changes_that_a_run_cannot_follow(little: Little, changes, says: str) -> None:
    run = stopped(little(), AT["mid-epoch"])
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    with pytest.raises(FlowerError, match=says):
        list(tasks.resume(run.path, changes=changes))
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before


def test_nothing_to_resume(little: Little, models: Path, tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="There is no run to resume"):
        list(tasks.resume())
    with pytest.raises(FlowerError, match="nothing to resume in"):
        list(tasks.resume(RunFolder.create(models, little()).path))
    with pytest.raises(FlowerError, match="There is no file"):
        list(tasks.resume(tmp_path / "none.pth"))


def test_a_checkpoint_far_from_its_run(little: Little, tmp_path: Path) -> None:
    run = stopped(little(), AT["mid-epoch"])
    run.last.rename(tmp_path / "last.pth")
    with pytest.raises(FlowerError, match=r"last\.pth is not inside a run folder"):
        list(tasks.resume(tmp_path / "last.pth"))


FAMILIES = {
    facts.family: facts.name
    for facts in sorted(model_catalogue(), key=lambda facts: -facts.parameters)
    if facts.parameters < 20e6
}
"""Each family by its smallest network; the large ones would take minutes."""


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_resumed(little: Little, family: str) -> None:
    """MNASNet, for one, asks for a note that comes with its state dict."""
    model = FAMILIES[family]
    size = model_info(model).image_size
    recipe = little(model=model, image_size=size, epochs=1, batch_size=9, ema=0.5)
    run = stopped(recipe, lambda event: isinstance(event, BatchDone))
    before = checkpoint.read(run.last)
    assert before["step"] == 1
    live, events = LiveRequests(), []
    for event in tasks.resume(run.path, live):
        events.append(event)
        live.stop = True
    assert isinstance(events[-1], Stopped)
    after = checkpoint.read(run.last)
    different = [key for key in before if not equal(before[key], after[key])]
    assert different in ([], ["progress"])  # its seconds


# --- a bare state dict ------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["mynet", "mnasnet0_5", "efficientnet_lite0"])
def test_a_bare_state_dict_goes_on_with_its_head(
    little: Little, tmp_path: Path, models: Path, model: str
) -> None:
    torch.manual_seed(5)
    net = build(model, 3, 32)
    torch.save(net.state_dict(), tmp_path / "last.pth")
    changes = asdict(little(learning_rate=1e-8)) | {"frozen": (), "scheduler": "none"}
    changes |= {"weight_decay": 0.0, "epochs": 1}
    del changes["model"]  # it is recognised
    events = list(tasks.resume(tmp_path / "last.pth", changes=changes))
    (noted,) = [event.message for event in events if isinstance(event, Warned)]
    assert noted.startswith(f"last.pth is a {model} for 3 classes. It holds weights alone")
    assert "optimizer, schedule and epochs start from the beginning" in noted
    run = finished(events)
    assert run.path.parent == models
    assert run.recipe().model == model
    weights = checkpoint.read(run.last)["model"]
    for name, parameter in net.named_parameters():
        assert torch.allclose(weights[name], parameter, atol=1e-5)


def test_a_bare_last_pth_among_the_models_is_found(little: Little, models: Path) -> None:
    models.mkdir()
    torch.save(build("mynet", 3, 32).state_dict(), models / "last.pth")
    changes = {**asdict(little(epochs=1)), "frozen": ()}
    first = finished(list(tasks.resume(changes=changes)))
    list(tasks.resume(changes={"epochs": 2}))  # the newest run now, not the weights again
    assert [path for path in models.iterdir() if path.is_dir()] == [first.path]


def test_a_bare_state_dict_is_held_against_what_is_wished(
    little: Little, tmp_path: Path, models: Path
) -> None:
    path = tmp_path / "last.pth"
    torch.save(build("mynet", 4, 32).state_dict(), path)
    with pytest.raises(FlowerError, match=r"last\.pth holds weights alone"):
        list(tasks.resume(path))
    changes = {"photos": little().photos, "image_size": 32}
    with pytest.raises(FlowerError, match=r"last\.pth was trained on 4 classes, and blumen has 3"):
        list(tasks.resume(path, changes=changes))
    with pytest.raises(FlowerError, match="the weights of a mynet, not of a resnet18"):
        list(tasks.resume(path, changes={**changes, "model": "resnet18"}))
    torch.save({"layer.weight": torch.ones(3, 3)}, path)
    with pytest.raises(FlowerError, match="does not fit any network of the catalogue"):
        list(tasks.resume(path, changes=changes))
    torch.save(build("vit_b_16", 3, 384).state_dict(), path)
    with pytest.raises(FlowerError, match="does not fit vit_b_16 at 224 px"):
        list(tasks.resume(path, changes={**changes, "image_size": 224}))
    assert not models.exists()
