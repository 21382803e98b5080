"""Training and resuming on the command line, on tiny images."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import PLAIN, STARTED, events_of, kinds, only_run, recipe_of

from flowergui import tasks
from flowergui.cli import commands
from flowergui.cli.options import parse
from flowergui.config.presets import PRESETS, with_preset
from flowergui.config.recipe import SETTING, SETTINGS, Recipe
from flowergui.errors import FlowerError
from flowergui.events import Event, RolledBack
from flowergui.requests import ResumeOptions


def test_train_prints_events_and_writes_files(
    flowers: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--epochs", "2", "--batch-size", "4", "--seed", "3", "--json"]

    assert commands.run(["train", str(flowers), *PLAIN, *arguments]) == 0

    events = events_of(capsys.readouterr().out)
    printed_events = kinds(events)
    assert printed_events.count("BatchDone") == 8
    assert printed_events.count("EpochDone") == 2
    assert printed_events[-1] == "Finished"
    batch = next(event for event in events if event["event"] == "BatchDone")
    assert {"epoch", "batch", "step", "loss", "accuracy", "learning_rate"} <= batch.keys()
    assert 0 <= batch["accuracy"] <= 1
    epoch = next(event for event in events if event["event"] == "EpochDone")
    assert {"train_loss", "train_accuracy", "val_loss", "val_accuracy"} <= epoch.keys()
    assert all(Path(event["path"]).is_file() for event in events if event["event"] == "Saved")
    names = {path.name for path in only_run(empty).iterdir()}
    assert {"recipe.json", "split.csv", "history.csv", "last.pth", "best.pth"} <= names
    recipe = recipe_of(empty)
    assert (recipe["batch_size"], recipe["seed"], recipe["model"]) == (4, 3, "mynet")
    assert recipe["photos"] == str(flowers)


def test_the_photos_folder_is_kept_absolute(
    flowers: Path, planned: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(flowers.parent)

    commands.run(["train", "flowers", *PLAIN])

    assert planned[0].photos == str(flowers)


def test_train_prints_text_without_json(
    flowers: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["train", str(flowers), *PLAIN, "--epochs", "1"]) == 0

    printed = capsys.readouterr()
    assert "epoch 1/1, loss" in printed.out
    assert "validation accuracy" in printed.out
    best = only_run(empty) / "best.pth"
    assert f"The best checkpoint is {best}." in printed.out
    assert f"flowergui predict {best} IMAGE" in printed.out
    assert "poppy/torn.jpg" in printed.err


def test_presets_follow_the_mode_and_explicit_options_beat_them(planned: list[Recipe]) -> None:
    base = ["train", "photos", "--model", "resnet18"]

    for more in (
        ["--mode", "scratch"],
        ["--mode", "transfer"],
        ["--mode", "scratch", "--preset", "tutorial"],
        ["--preset", "tutorial", "--no-drop-last", "--epochs", "7", "--ema"],
    ):
        assert commands.run([*base, *more]) == 0

    scratch, transfer, tutorial, mixed = planned
    usual = PRESETS["recommended"]["scratch"]
    for name in ("epochs", "image_size", "training_size", "frozen", "optimizer"):
        assert getattr(scratch, name) == usual[name]
    assert (transfer.image_size, transfer.frozen) == (0, ("all-but-head",))
    assert (tutorial.epochs, tutorial.optimizer, tutorial.drop_last) == (30, "adam", True)
    assert (mixed.epochs, mixed.drop_last, mixed.optimizer) == (7, False, "adam")
    assert mixed.ema == SETTING["ema"].switched_on


@pytest.mark.parametrize(
    ("words", "mode", "model"),
    [
        ([], "transfer", "efficientnet_lite0"),
        (["--preset", "tutorial"], "transfer", "efficientnet_lite0"),
        (["--mode", "transfer"], "transfer", "efficientnet_lite0"),
        (["--mode", "scratch"], "scratch", "resnet18"),
        (["--model", "resnet50"], "transfer", "resnet50"),
        (["--model", "mynet"], "scratch", "mynet"),  # it has no pretrained weights
        (["--model", "mynet", "--weights", "mine.pth"], "transfer", "mynet"),
        (["--model", "mynet", "--mode", "transfer"], "transfer", "mynet"),
    ],
)
def test_without_a_mode_it_is_a_transfer_if_there_are_weights(
    planned: list[Recipe], words: list[str], mode: str, model: str
) -> None:
    assert commands.run(["train", "photos", *words]) == 0

    (recipe,) = planned
    assert (recipe.mode, recipe.model) == (mode, model)
    preset = PRESETS["tutorial" if "tutorial" in words else "recommended"][mode]
    assert all(getattr(recipe, name) == value for name, value in preset.items())


def test_an_unknown_network_is_refused_without_a_mode(
    planned: list[Recipe], capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["train", "photos", "--model", "resnet19"]) == 2

    assert "no network called 'resnet19'" in capsys.readouterr().err
    assert planned == []


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--ema", "0.99"], "ema", 0.99),
        (["--ema", "off"], "ema", 0.0),
        (["--mixup"], "mixup", 0.2),
        (["--drop-last"], "drop_last", True),
        (["--drop-last", "off"], "drop_last", False),
        (["--frozen", "conv1.*,bn1", "layer1"], "frozen", ("conv1.*", "bn1", "layer1")),
        (["--frozen"], "frozen", ()),
        (["--image-size", "own"], "image_size", 0),
        (["--ema", "none"], "ema", 0.0),
        (["--weight-decay", "no"], "weight_decay", 0.0),
        (["--epochs", "1,000"], "epochs", 1000),
        (["--learning-rate", "1e-3"], "learning_rate", 0.001),
        (["--weights", "mine.pth"], "weights", "mine.pth"),
    ],
)
def test_options_set_their_setting(
    planned: list[Recipe], words: list[str], name: str, value: object
) -> None:
    assert commands.run(["train", "photos", *PLAIN, *words]) == 0

    assert getattr(planned[0], name) == value


def test_every_setting_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(["train", "--help"]) == 0

    shown = " ".join(capsys.readouterr().out.split())
    for setting in SETTINGS:
        assert f"--{setting.name.replace('_', '-')}" in shown
    scratch, transfer = (PRESETS["recommended"][mode] for mode in ("scratch", "transfer"))
    default = f"default: {scratch['epochs']} for scratch, {transfer['epochs']} for transfer"
    assert default in shown
    assert "default: resnet18 for scratch, efficientnet_lite0 for transfer" in shown
    assert "default: transfer, or scratch for a network without pretrained weights" in shown


def test_a_preset_size_that_the_network_refuses_is_replaced(
    planned: list[Recipe], capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["train", "photos", "--mode", "scratch", "--model", "vit_b_16"]) == 0

    assert planned[0].image_size == 0
    size = PRESETS["recommended"]["scratch"]["image_size"]
    assert f"vit_b_16 can't take images of {size} px" in capsys.readouterr().err


def test_resuming_a_finished_run_says_that_it_is_finished(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["resume", "--models-folder", str(trained)]) == 0

    printed = capsys.readouterr()
    assert "has done all its 2 epochs" in printed.err
    assert "flowergui predict" in printed.out


def test_epochs_extend_the_newest_run(
    flowers: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.run(["train", str(flowers), *PLAIN, "--epochs", "1", "--json"])
    capsys.readouterr()

    assert commands.run(["resume", "--epochs", "2", "--json"]) == 0

    events = events_of(capsys.readouterr().out)
    assert events[0]["event"] == "RunStarted"
    assert events[0]["resumed"] is True
    assert events[0]["learning_rate"] == recipe_of(empty)["learning_rate"]
    assert [event["epoch"] for event in events if event["event"] == "EpochDone"] == [2]
    assert recipe_of(empty)["epochs"] == 2


def test_resume_check_changes_nothing(
    trained: Path, flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (only_run(trained) / "last.pth").read_bytes()
    argv = ["resume", "--check", "--models-folder", str(trained)]
    assert commands.run(argv) == 1
    said = capsys.readouterr().out
    assert "! Epochs      all 2 are done. Increase the number of epochs.\n" in said
    assert "  Images      20, as before, split as before\n" in said
    assert commands.run([*argv, "--epochs", "5"]) == 0
    assert capsys.readouterr().out.endswith("The run can be resumed.\n")
    assert commands.run([*argv, "--epochs", "5", "--rename", "poppy=violet", "--json"]) == 1
    printed_events = json.loads(capsys.readouterr().out)
    assert printed_events["event"] == "ResumeChecked"
    assert any("that is another class" in each["detail"] for each in printed_events["checks"])
    assert (only_run(trained) / "last.pth").read_bytes() == before


def test_resume_options_reach_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[ResumeOptions] = []

    def resumed(*wishes: Any) -> Iterator[Event]:
        seen.append(wishes[-1])
        yield from ()

    monkeypatch.setattr(tasks, "resume", resumed)
    argv = ["resume", "--new-photos", "--new-classes", "--rename", "a=b", "--rename", "c=d e"]
    assert commands.run([*argv, "--restart-schedule"]) == 0
    assert commands.run(["resume"]) == 0
    assert seen == [ResumeOptions(True, True, (("a", "b"), ("c", "d e")), True), ResumeOptions()]


def test_only_given_changes_reach_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, dict[str, Any], Path | None]] = []

    def resume(
        source: str | None, live: object, changes: dict[str, Any], models: Path | None, how: object
    ) -> Iterator[Event]:
        asked.append((source, changes, models))
        yield from ()

    monkeypatch.setattr(tasks, "resume", resume)
    given = ["--frozen", "conv1", "fc.*", "--model", "resnet18", "--workers", "0"]

    assert commands.run(["resume"]) == 0
    assert commands.run(["resume", "last.pth", "--photos", "/photos", *given]) == 0

    assert asked[0] == (None, {}, None)
    assert asked[1][0] == "last.pth"
    assert asked[1][1] == {
        "photos": os.path.abspath("/photos"),
        "frozen": ("conv1", "fc.*"),
        "model": "resnet18",
        "workers": 0,
    }


def test_a_bare_state_dict_starts_a_new_run(
    flowers: Path, trained: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = torch.load(only_run(trained) / "best.pth", weights_only=True)
    empty.mkdir()
    bare = empty.parent / "bare.pth"
    torch.save(stored["model"], bare)
    given = ["--photos", str(flowers), "--model", "mynet", "--epochs", "1"]

    assert commands.run(["resume", str(bare), *given, "--device", "cpu", "--json"]) == 0

    assert kinds(events_of(capsys.readouterr().out))[-1] == "Finished"
    assert (only_run(empty) / "last.pth").is_file()


def test_weights_imply_a_transfer(flowers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(["train", str(flowers), "--weights", "nowhere.pth"]) == 2
    assert "There is no file nowhere.pth" in capsys.readouterr().err
    argv = ["train", str(flowers), "--weights", "nowhere.pth", "--mode", "scratch"]
    assert commands.run(argv) == 2
    assert "Only a transfer starts from pretrained weights." in capsys.readouterr().err


def test_the_speed_of_a_tried_precision_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = replace(STARTED, precision="float32", speedup=1.24)
    monkeypatch.setattr(tasks, "resume", lambda *_, **__: iter([opened]))
    commands.run(["resume"])
    assert "float32 is 1.2 times as fast as bfloat16." in capsys.readouterr().out


def test_a_run_that_fails_is_not_a_refused_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> Iterator[Event]:
        yield STARTED
        yield RolledBack(1, 2, 3, 0.0005, "The loss became nan in epoch 1, batch 3.")
        raise FlowerError("The loss became nan in epoch 1, batch 4.", hint="Try less.")

    monkeypatch.setattr(tasks, "resume", broken)
    assert commands.run(["resume"]) == 1
    said = capsys.readouterr().err
    assert "Rolled back to epoch 1, batch 2; continuing with learning rate 0.0005." in said
    assert said.endswith("flowergui: The loss became nan in epoch 1, batch 4. Try less.\n")


@pytest.mark.parametrize(
    ("words", "minutes", "freeze_epochs"),
    [
        ([], 5, 1),
        (["--minutes", "20"], 20, 1),
        (["--epochs", "3"], 0, 0),
        (["--epochs", "3", "--minutes", "0"], 0, 1),
        (["--frozen", "stem"], 5, 0),
        (["--unfreeze-schedule", "stem=2"], 5, 0),
    ],
)
def test_who_asks_for_epochs_or_frozen_layers_gets_them(
    planned: list[Recipe], flowers: Path, words: list[str], minutes: float, freeze_epochs: int
) -> None:
    commands.run(["train", str(flowers), *words])
    (recipe,) = planned
    assert (recipe.minutes, recipe.freeze_epochs) == (minutes, freeze_epochs)


def test_a_time_budget_and_a_number_of_epochs_exclude_each_other(
    planned: list[Recipe], flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["train", str(flowers), "--epochs", "3", "--minutes", "2"]) == 2
    assert "--epochs and --minutes can't both be given." in capsys.readouterr().err
    assert not planned


@pytest.mark.parametrize(
    ("words", "cached_views"),
    [
        ([], 4),
        (["--frozen", "nothing"], 0),
        (["--freeze-epochs", "1"], 0),
        (["--unfreeze-schedule", "stem=2"], 0),
        (["--mixup"], 0),
        (["--cached-views", "0"], 0),
        (["--cached-views", "2"], 2),
    ],
)
def test_augmentations_are_cached_only_where_layers_stay_frozen(
    planned: list[Recipe], flowers: Path, words: list[str], cached_views: int
) -> None:
    commands.run(["train", str(flowers), "--epochs", "30", *words])
    assert planned[0].cached_views == cached_views


def test_what_a_recipe_file_unfreezes_gives_way_to_frozen_layers_that_are_asked_for(
    planned: list[Recipe], flowers: Path, tmp_path: Path
) -> None:
    theirs = with_preset(Recipe(mode="transfer", model="resnet18"), "recommended")
    theirs = replace(theirs, unfreeze_schedule=("layer4=2",))
    (tmp_path / "theirs.json").write_text(json.dumps(theirs.as_dict()))
    commands.run(["train", str(flowers), "--recipe", str(tmp_path / "theirs.json")])
    words = ["--recipe", str(tmp_path / "theirs.json"), "--frozen", "layer*"]
    commands.run(["train", str(flowers), *words])
    told = [(each.frozen, each.freeze_epochs, each.unfreeze_schedule) for each in planned]
    assert told == [(("all-but-head",), 1, ("layer4=2",)), (("layer*",), 0, ())]


def test_weights_beside_a_recipe_from_scratch_are_refused(
    planned: list[Recipe], flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "theirs.json").write_text(json.dumps(Recipe(mode="scratch").as_dict()))
    words = ["--recipe", str(tmp_path / "theirs.json"), "--weights", "mine.pth"]
    assert commands.run(["train", str(flowers), *words]) == 2
    assert "Only a transfer starts from pretrained weights." in capsys.readouterr().err
    assert not planned


def test_a_file_of_weights_is_found_from_any_folder(
    planned: list[Recipe], flowers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.pth").touch()
    monkeypatch.chdir(tmp_path)
    commands.run(["train", str(flowers), "--weights", "mine.pth", "--model", "resnet18"])
    commands.run(["train", str(flowers), "--weights", "imagenet", "--model", "resnet18"])
    assert [each.weights for each in planned] == [str(tmp_path / "mine.pth"), "imagenet"]


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (("--frozen", "conv1"), "frozen", ("conv1",)),
        (("--frozen", "conv1", "layer1"), "frozen", ("conv1", "layer1")),
        (("--epochs", "3", "--ema"), "ema", 0.998),
        (("--unfreeze-schedule", "stem=2"), "unfreeze_schedule", ("stem=2",)),
        (("--recover",), "recover", True),
    ],
)
def test_a_folder_after_an_option_is_no_value_of_it(
    flowers: Path, planned: list[Recipe], options: tuple[str, ...], name: str, value: object
) -> None:
    """argparse gives it to an option that takes any number of values."""
    assert commands.run(["train", *PLAIN, *options, str(flowers)]) == 0
    assert commands.run(["train", *options, str(flowers), *PLAIN]) == 0
    for recipe in planned:
        assert recipe.photos == str(flowers)
        assert getattr(recipe, name) == value


def test_a_folder_of_the_name_of_a_layer_is_no_dataset(
    flowers: Path, planned: list[Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conv1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert commands.run(["train", str(flowers), *PLAIN, "--frozen", "conv1"]) == 0
    assert (planned[0].photos, planned[0].frozen) == (str(flowers), ("conv1",))


def test_a_run_that_stands_last_is_resumed(trained: Path, flowers: Path) -> None:
    run = str(only_run(trained))
    for options in (("--frozen", "conv1"), ("--recover",), ("--photos", str(flowers), "--frozen")):
        arguments = parse(["resume", *options, run])
        assert arguments.source == run
    assert parse(["resume", "--frozen", "conv1"]).source is None


def test_stages_and_their_epochs_are_options(planned: list[Recipe], flowers: Path) -> None:
    schedule = ["--unfreeze-schedule", "stages.6=2", "stages.5=3"]
    commands.run(["train", str(flowers), *schedule, "--layer-decay", "0.8"])
    (recipe,) = planned
    assert recipe.unfreeze_schedule == ("stages.6=2", "stages.5=3")
    assert (recipe.layer_decay, recipe.frozen) == (0.8, ("all-but-head",))


def test_what_is_no_epoch_of_a_stage_is_refused(
    flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["train", str(flowers), "--unfreeze-schedule", "stem"]) == 2
    assert "'stem' does not say from which epoch" in capsys.readouterr().err
