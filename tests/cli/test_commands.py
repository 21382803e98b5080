"""The command line, in this process where it can be, with real training on tiny pictures."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from flowergui import __version__, tasks
from flowergui.__main__ import main
from flowergui.cli import commands
from flowergui.cli.console import Console, json_line
from flowergui.config.presets import PRESETS
from flowergui.config.recipe import SETTING, SETTINGS, Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    BatchDone,
    DownloadProgress,
    EpochDone,
    Evaluated,
    Event,
    Finished,
    PhotoEvaluated,
    PredictionFailed,
    RolledBack,
    RunStarted,
    Saved,
    SaveFailed,
    Stopped,
    ValidationProgress,
    WeightsSaved,
)
from flowergui.facts import (
    ClassScore,
    Confusion,
    Problem,
)
from flowergui.learning.data import photo_check
from flowergui.learning.data.scan import scan
from flowergui.requests import LiveRequests, ResumeOptions
from flowergui.store import paths
from flowergui.store.run_folder import RunFolder

PLAIN = ("--model", "mynet", "--image-size", "32", "--device", "cpu", "--precision", "float32")

EPOCH = EpochDone(
    epoch=1,
    epochs=2,
    step=3,
    train_loss=0.7,
    train_accuracy=0.5,
    val_loss=0.6,
    val_accuracy=0.625,
    best_accuracy=0.625,
    best_epoch=1,
    learning_rate=0.01,
    seconds=1.5,
)
OPENED = RunStarted(
    run="run",
    model="mynet",
    mode="scratch",
    classes=("poppy", "violet"),
    train_photos=16,
    validation_photos=4,
    image_size=32,
    device="cpu",
    precision="float32",
    epochs=5,
    batches=4,
    epoch=1,
    batch=0,
    step=0,
    trainable=10,
    parameters=10,
    frozen=(),
    resumed=False,
)
BATCH = BatchDone(
    epoch=1, batch=2, batches=3, step=2, loss=0.7, accuracy=0.5, learning_rate=0.01, photos=4
)


@pytest.fixture(scope="session")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of ten pictures: mostly red, mostly blue; and a file that is no picture."""
    folder = tmp_path_factory.mktemp("photos") / "flowers"
    draw = np.random.default_rng(0)
    for label, name in enumerate(("poppy", "violet")):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            pixels = draw.integers(0, 60, (40, 40, 3), dtype=np.uint8)
            pixels[..., 2 * label] += 180
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    (folder / "poppy" / "torn.jpg").write_text("no picture")
    return folder


@pytest.fixture(scope="session")
def trained(flowers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models folder of a finished run of two epochs."""
    models = tmp_path_factory.mktemp("models")
    arguments = ["--epochs", "2", "--batch-size", "4", "--models-folder", str(models)]
    assert commands.run(["train", str(flowers), *PLAIN, *arguments, "--json"]) == 0
    return models


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder, which FLOWERGUI_MODELS names."""
    monkeypatch.setenv("FLOWERGUI_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def only_run(models: Path) -> Path:
    (run,) = models.iterdir()
    return run


def recipe_of(models: Path) -> dict[str, Any]:
    recipe: dict[str, Any] = json.loads((only_run(models) / "recipe.json").read_text("utf-8"))
    return recipe


def events_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """Keeps the recipes that would be trained; nothing is."""
    kept: list[Recipe] = []

    def train(recipe: Recipe, *_: object) -> Iterator[Event]:
        kept.append(recipe)
        yield from ()

    monkeypatch.setattr(tasks, "train", train)
    return kept


# --- train ------------------------------------------------------------------------------------


def test_train_tells_events_and_leaves_files(
    flowers: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--epochs", "2", "--batch-size", "4", "--seed", "3", "--json"]

    assert commands.run(["train", str(flowers), *PLAIN, *arguments]) == 0

    events = events_of(capsys.readouterr().out)
    told = kinds(events)
    assert told.count("BatchDone") == 8
    assert told.count("EpochDone") == 2
    assert told[-1] == "Finished"
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


def test_train_reads_well_without_json(
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
        [],
        ["--mode", "transfer"],
        ["--preset", "tutorial"],
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
def test_options_mean_what_they_say(
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


def test_a_preset_size_that_the_network_refuses_gives_way(
    planned: list[Recipe], capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["train", "photos", "--model", "vit_b_16"]) == 0

    assert planned[0].image_size == 0
    size = PRESETS["recommended"]["scratch"]["image_size"]
    assert f"vit_b_16 can't take images of {size} px" in capsys.readouterr().err


# --- resume -----------------------------------------------------------------------------------


def test_a_finished_run_is_said_to_be_so(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    assert [event["epoch"] for event in events if event["event"] == "EpochDone"] == [2]
    assert recipe_of(empty)["epochs"] == 2


def test_resume_may_only_look(
    trained: Path, flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (only_run(trained) / "last.pth").read_bytes()
    wish = ["resume", "--check", "--models-folder", str(trained)]
    assert commands.run(wish) == 1
    said = capsys.readouterr().out
    assert "! Epochs      all 2 are done. Ask for more epochs.\n" in said
    assert "  Photos      20, as before, split as before\n" in said
    assert commands.run([*wish, "--epochs", "5"]) == 0
    assert capsys.readouterr().out.endswith("The run can be resumed.\n")
    assert commands.run([*wish, "--epochs", "5", "--rename", "poppy=violet", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["event"] == "ResumeChecked"
    assert any("violet is another class" in each["detail"] for each in told["checks"])
    assert (only_run(trained) / "last.pth").read_bytes() == before


def test_what_has_come_since_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[ResumeOptions] = []

    def resumed(*wishes: Any) -> Iterator[Event]:
        seen.append(wishes[-1])
        yield from ()

    monkeypatch.setattr(tasks, "resume", resumed)
    wish = ["resume", "--new-photos", "--new-classes", "--rename", "a=b", "--rename", "c=d e"]
    assert commands.run([*wish, "--restart-schedule"]) == 0
    assert commands.run(["resume"]) == 0
    assert seen == [ResumeOptions(True, True, (("a", "b"), ("c", "d e")), True), ResumeOptions()]


def test_resume_passes_on_only_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_bare_state_dict_goes_on_as_a_new_run(
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


# --- predict, inspect, sample -----------------------------------------------------------------


def test_predict_prints_guesses_as_json(
    flowers: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = str(flowers / "violet" / "0.png")

    code = commands.run(["predict", str(only_run(trained) / "best.pth"), photo, photo, "--json"])

    assert code == 0
    first, second = events_of(capsys.readouterr().out)
    assert first == second
    assert first["path"] == photo
    probabilities = [guess["probability"] for guess in first["predictions"]]
    assert sorted(guess["class"] for guess in first["predictions"]) == ["poppy", "violet"]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)


def test_predict_prints_a_table_and_names_what_it_cannot_read(
    flowers: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, torn = flowers / "poppy" / "0.png", flowers / "poppy" / "torn.jpg"

    assert commands.run(["predict", str(only_run(trained)), str(torn), str(good)]) == 1

    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == str(good)
    assert len(lines) == 3
    assert all(line.startswith("  ") and "% " in line + " " for line in lines[1:])
    assert "torn.jpg can't be read" in printed.err


def test_runs_lists_them(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, table = only_run(trained), tmp_path / "runs.csv"
    assert commands.run(["runs", "--models-folder", str(trained), "--csv", str(table)]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["best", "of", "epoch", "epochs", "time", "size", "run"]
    assert line.endswith(f" MB  {run}")
    assert re.match(r" *[\d.]+%  +[12]  +2/2 ", line)
    assert len(table.read_text("utf-8-sig").splitlines()) == 2


def test_a_note_on_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFolder.create(tmp_path / "models", Recipe())
    assert commands.run(["runs", str(run.path), "--note", " with   more\nroses "]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith(f"{run.path}  (with more roses)")
    assert RunFolder(run.path).note() == "with more roses"
    assert commands.run(["runs", str(run.path), "--note", ""]) == 0
    assert RunFolder(run.path).note() == ""
    assert not (run.path / "note.txt").exists()
    assert commands.run(["runs", "--models-folder", str(run.path.parent), "--note", "x"]) == 2
    assert "A note is for one run." in capsys.readouterr().err
    assert RunFolder(run.path).note() == ""


def test_runs_says_in_what_some_differ(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = only_run(trained)
    other = RunFolder.create(tmp_path / "models", replace(RunFolder(run).recipe(), seed=7))
    assert commands.run(["runs", str(run), str(other.path)]) == 0
    *_, second, blank, says, heads, difference = capsys.readouterr().out.splitlines()
    assert second.split() == ["-", "-", "0/2", "0.0", "s", "0.0", "MB", str(other.path)]
    assert (blank, says) == ("", "Settings that differ, the runs in the order above:")
    assert heads.split() == ["1", "2"]
    assert difference.split() == ["Seed", "0", "7"]

    assert commands.run(["runs", str(run), str(run / "best.pth")]) == 0
    assert capsys.readouterr().out.endswith("They have the same settings.\n")

    assert commands.run(["runs", str(run), str(other.path), "--json"]) == 0
    first, _, compared = events_of(capsys.readouterr().out)
    assert (first["event"], first["run"]["path"]) == ("RunListed", str(run))
    assert [each["epoch"] for each in first["epochs"]] == [1, 2]
    assert compared["differences"][0]["values"] == ["0", "7"]


def test_runs_where_there_are_none(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["runs"]) == 0
    assert capsys.readouterr() == ("", f"There is no run in {empty} yet.\n")
    assert commands.run(["runs", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_evaluate_prints_figures_and_mistakes(
    flowers: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    held = [row for row in RunFolder(only_run(trained)).split() if row[2] == "validation"]

    assert commands.run(["evaluate", str(only_run(trained)), "--csv", str(table)]) == 0

    text = capsys.readouterr().out
    assert f" on {len(held)} images, loss " in text.splitlines()[0]
    assert f"in {flowers}. None of them was used for training." in text
    for words in (("class", "images", "recall", "precision", "F1"), ("poppy", "2")):
        assert re.search("^" + " +".join(words), text, re.MULTILINE), words
    assert len(table.read_text("utf-8-sig").splitlines()) == 1 + len(held)


def test_evaluate_tells_each_photo_as_json(
    flowers: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = str(only_run(trained) / "best.pth")
    assert commands.run(["evaluate", best, str(flowers), "--json"]) == 1  # for torn.jpg
    *others, last = events_of(capsys.readouterr().out)
    assert [problem["path"] for problem in last["problems"]] == ["poppy/torn.jpg"]
    judged = [event for event in others if event["event"] == "PhotoEvaluated"]
    assert last["event"] == "Evaluated"
    assert last["photos"] == len(judged) == 4
    assert last["trained_on"] == 16
    assert last["accuracy"] == sum(each["label"] == each["predicted"] for each in judged) / 4
    assert {"name", "recall", "precision", "f1"} <= set(last["classes"][0])


def test_a_table_that_cannot_be_written_is_refused_before_anything_is_judged(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(only_run(trained)), "--csv", str(tmp_path / "none" / "t.csv")]
    assert commands.run(words) == 2
    printed = capsys.readouterr()
    assert "t.csv can't be written" in printed.err
    assert not printed.out


def test_a_refused_evaluation_leaves_the_old_table(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("my table")
    assert commands.run(["evaluate", str(tmp_path / "typo.pth"), "--csv", str(table)]) == 2
    assert "There is no file" in capsys.readouterr().err
    assert table.read_text() == "my table"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_a_photo_that_cannot_be_judged_makes_the_exit_code(
    flowers: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tmp_path / "others"
    shutil.copytree(flowers / "violet", others / "violet")
    (others / "violet" / "torn.jpg").write_text("no picture")
    lone = shutil.copy(only_run(trained) / "best.pth", tmp_path / "lone.pth")
    assert commands.run(["evaluate", str(lone), str(others)]) == 1
    printed = capsys.readouterr()
    assert "The training set is unknown" in printed.out
    assert "violet/torn.jpg: " in printed.err


def evaluated(*scores: ClassScore) -> Evaluated:
    return Evaluated("best.pth", 3, "/p", 4, 0.75, None, 0.5, scores, (), (), (), 0, ())


def test_of_many_classes_those_are_shown_that_are_recognised_least(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scores = [ClassScore(f"c{n}", 10, n, 10, n / 200, 1.0, 1.0) for n in range(150)]
    unseen = ClassScore("unseen", 0, 0, 0, None, None, None)
    Console(as_json=False, terminal=False).report(evaluated(unseen, *reversed(scores)))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[4:]] == [*(f"c{n}" for n in range(100)), "and"]
    assert lines[-1].startswith("and 51 more classes with a higher recall")


def test_names_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)
    console.report(evaluated(ClassScore("ro\x1b[2Jse\x9b", 4, 3, 3, 0.75, 1.0, 6 / 7)))
    console.report(PredictionFailed("a.jpg", "\x07a.jpg is no picture."))
    printed = capsys.readouterr()
    assert r"ro\x1b[2Jse\x9b " in printed.out
    assert printed.err == "\\x07a.jpg is no picture.\n"


def test_figures_read_well(capsys: pytest.CaptureFixture[str]) -> None:
    mistake = PhotoEvaluated("/photos/rose/1.jpg", "rose", "tulip", 0.914, 0.05)
    scores = (
        ClassScore("rose", 4, 3, 3, 0.75, 1.0, 6 / 7),
        ClassScore("tulip", 0, 0, 1, None, 0.0, 0.0),
    )
    Console(as_json=False, terminal=False).report(
        Evaluated(
            checkpoint="best.pth",
            epoch=3,
            folder="/photos",
            photos=4,
            accuracy=0.75,
            top5=0.9,
            loss=0.5,
            classes=scores,
            confusions=(Confusion("rose", "tulip", 1),),
            most_confident_errors=(mistake,),
            problems=tuple(Problem(f"rose/{n}.jpg", "torn") for n in range(7)),
            trained_on=16,
            unknown_classes=("oak",),
        )
    )
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "Accuracy 75.0% on 4 images, top-5 accuracy 90.0%, loss 0.500.",
        "The images are in /photos. None of them was used for training.",
        "Skipped 16 images that were used for training.",
        "Skipped classes that the network does not know: oak.",
        "",
        "class   images    recall  precision        F1",
        "rose         4     75.0%     100.0%     85.7%",
        "tulip        0         -       0.0%      0.0%",
        "",
        "Most frequent confusions:",
        "  rose predicted as tulip: 1 image",
        "",
        "Most confident errors:",
        "  /photos/rose/1.jpg: predicted tulip (91.4%), actual rose (5.0%)",
    ]
    assert printed.err.splitlines()[:2] == ["7 problems:", "  rose/0.jpg: torn"]
    assert printed.err.splitlines()[-1] == "  and 2 more."


def test_export_writes_what_predict_takes(
    trained: Path, flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "flowers.safetensors"
    assert commands.run(["export", str(only_run(trained)), str(out)]) == 0
    assert capsys.readouterr().out == f"The network is saved in {out}.\n"
    assert commands.run(["predict", str(out), str(flowers / "poppy" / "0.png"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["event"] == "Predicted"
    assert commands.run(["export", str(only_run(trained)), str(tmp_path / "flowers.h5")]) == 2


def test_decoded_photos_are_counted_and_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    kept = paths.photo_cache_folder()
    assert commands.run(["cache"]) == 0
    assert capsys.readouterr().out == f"No decoded images are cached in {kept}.\n"
    kept.mkdir(parents=True)
    for size in (1_500_000, 500_000):
        (kept / f"{size}.rgb").write_bytes(bytes(size))
    assert commands.run(["cache"]) == 0
    assert capsys.readouterr().out == f"2 decoded images are cached in {kept} (2.0 MB).\n"
    assert commands.run(["cache", "--clear"]) == 0
    out = capsys.readouterr().out
    assert out == f"Removed 2.0 MB of decoded images. No decoded images are cached in {kept}.\n"


def test_weights_are_kept_for_use_offline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def saved(model: str, weights: str, models: Path) -> Iterator[Event]:
        assert (model, weights, models) == ("resnet50", "IMAGENET1K_V1", tmp_path)
        yield DownloadProgress(model, 1, 2)
        yield WeightsSaved(str(tmp_path / "resnet50.pth"))

    monkeypatch.setattr(tasks, "save_weights", saved)
    wish = ["weights", "resnet50", "--weights", "IMAGENET1K_V1", "--models-folder", str(tmp_path)]
    assert commands.run(wish) == 0
    assert f"To start a transfer from them: --weights {tmp_path}" in capsys.readouterr().out


def test_a_run_that_breaks_off_is_no_refused_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> Iterator[Event]:
        yield OPENED
        yield RolledBack(1, 2, 3, 0.0005, "The loss became nan in epoch 1, batch 3.")
        raise FlowerError("The loss became nan in epoch 1, batch 4.", hint="Try less.")

    monkeypatch.setattr(tasks, "resume", broken)
    assert commands.run(["resume"]) == 1
    said = capsys.readouterr().err
    assert "Rolled back to epoch 1, batch 2; continuing with learning rate 0.0005." in said
    assert said.endswith("flowergui: The loss became nan in epoch 1, batch 4. Try less.\n")


def test_a_precision_that_was_tried_says_how_it_did(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = replace(OPENED, precision="float32", speedup=1.24)
    monkeypatch.setattr(tasks, "resume", lambda *_, **__: iter([opened]))
    commands.run(["resume"])
    assert "float32 is 1.2 times as fast as bfloat16." in capsys.readouterr().out


def test_inspect_prints_counts_and_problems(
    flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["inspect", str(flowers)]) == 0

    printed = capsys.readouterr()
    assert ["poppy", "10"] in [line.split() for line in printed.out.splitlines()]
    assert ["20"] in [line.split() for line in printed.out.splitlines()]
    assert "1 problem:" in printed.err
    assert "poppy/torn.jpg: it is not an image of a known format" in printed.err


def test_the_counts_of_many_photos_are_told_once(
    flowers: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_check, "MAX_CHECKED_FIRST", 1)
    assert commands.run(["inspect", str(flowers)]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[1:] for line in printed.splitlines() if "poppy" in line] == [["10"]]
    assert "not opened" not in printed
    (listed,) = scan(flowers, thorough=False)
    Console(as_json=False, terminal=False).report(listed)
    assert "They are not opened yet" in capsys.readouterr().out


def test_inspect_tells_ready_splits_apart(
    flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split, numbers in (("train", range(8)), ("val", range(8, 10))):
        for name in ("poppy", "violet"):
            (tmp_path / split / name).mkdir(parents=True)
            for number in numbers:
                photo = (flowers / name / f"{number}.png").read_bytes()
                (tmp_path / split / name / f"{number}.png").write_bytes(photo)

    assert commands.run(["inspect", str(tmp_path)]) == 0

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["class", "train", "validation"]
    assert ["violet", "8", "2"] in lines


def test_sample_draws_flowers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "sample"
    wish = ["sample", str(folder), "--seed", "4", "--photos-per-class", "1"]

    assert commands.run(wish) == 0
    assert f"flowergui train {folder} --model mynet" in capsys.readouterr().out
    first = {path.name: path.read_bytes() for path in folder.rglob("*.jpg")}
    assert len(first) >= 5
    assert commands.run([*wish, "--json"]) == 0

    events = events_of(capsys.readouterr().out)
    assert events[-1] == {"event": "SampleDrawn", "folder": str(folder)}
    assert {path.name: path.read_bytes() for path in folder.rglob("*.jpg")} == first


# --- refused ----------------------------------------------------------------------------------

REFUSED = {
    "missing folder": (["inspect", "nowhere"], "There is no folder"),
    "missing folder to train on": (["train", "nowhere", *PLAIN], "There is no folder"),
    "no name": (["train", "", *PLAIN], "The name of the folder is empty."),
    "no classes": (["inspect", "{flowers}/violet"], "no class subfolders"),
    "unknown network": (["train", "{flowers}", "--model", "resnet19"], "no network called"),
    "unknown optimizer": (["train", "{flowers}", "--optimizer", "adm"], "must be one of: adam"),
    "out of range": (["train", "{flowers}", "--epochs", "0"], "between 1 and 10,000"),
    "negative": (["train", "{flowers}", "--learning-rate", "-1"], "Learning rate must lie"),
    "not finite": (["train", "{flowers}", "--epochs", "inf"], "is not a number"),
    "no number": (["train", "{flowers}", "--batch-size", "many"], "is not a number"),
    "unknown option": (["train", "{flowers}", "--epoch", "3"], "--epoch. Did you mean --epochs?"),
    "option of another command": (["evaluate", "x.pth", "--epochs", "3"], "evaluate --help"),
    "option before the command": (["--json", "runs"], "flowergui runs ... --json"),
    "a path in two words": (["inspect", "my", "photos"], "Put quotation marks"),
    "option without a value": (["train", "{flowers}", "--epochs"], "--epochs: expected one"),
    "unknown preset": (["train", "{flowers}", "--preset", "best"], "--preset"),
    "nothing to train on": (["train"], "are required: FOLDER"),
    "nothing to resume": (["resume", "--models-folder", "nowhere"], "no run to resume"),
    "missing checkpoint": (["predict", "nowhere.pth", "a.jpg"], "There is no file"),
    "checkpoint of nothing": (["predict", "{flowers}/poppy/torn.jpg", "a.jpg"], "torn.jpg is"),
    "half a renaming": (["resume", "--rename", "rose"], "must read OLD=NEW"),
    "negative seed": (["sample", "new", "--seed", "-1"], "must not be negative"),
    "seed of letters": (["sample", "new", "--seed", "x"], "is not a whole number"),
    "typo": (["trian"], "The commands are train, resume"),
    "two folders": (["{flowers}", "{flowers}"], "opens one folder"),
    "empty word": ([""], "neither a folder nor a command"),
}


@pytest.mark.parametrize(("words", "says"), REFUSED.values(), ids=REFUSED)
def test_refused_input_ends_with_a_sentence(
    words: list[str],
    says: str,
    flowers: Path,
    empty: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(empty.parent)

    code = main([word.format(flowers=flowers) for word in words])

    printed = capsys.readouterr()
    assert code == 2
    assert says in printed.err
    assert printed.err.startswith("flowergui: ")
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    assert not empty.exists()


def test_a_size_that_was_asked_for_is_refused_where_it_cannot_be(
    flowers: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = ["train", str(flowers), "--model", "vit_b_16", "--image-size", "64", "--json"]

    assert commands.run(wish) == 2

    said = capsys.readouterr().err
    assert said == "flowergui: vit_b_16 can't take images of 64 px. Its own size is 224 px.\n"
    assert not empty.exists()


def test_a_defect_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> Iterator[Event]:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "inspect", broken)

    assert commands.run(["inspect", "photos"]) == 1

    assert "This is a defect of flowergui" in caplog.text
    assert "ZeroDivisionError" in caplog.text


# --- the way in -------------------------------------------------------------------------------


def test_without_a_command_the_window_opens(flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str | None] = []
    app = ModuleType("flowergui.desktop.app")

    def window(folder: str | None) -> int:
        opened.append(folder)
        return 7

    vars(app)["main"] = window
    monkeypatch.setitem(sys.modules, "flowergui.desktop.app", app)

    assert main([]) == 7
    assert main([str(flowers)]) == 7
    assert opened == [None, str(flowers)]


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"flowergui {__version__}\n"


def test_the_command_line_loads_no_window_and_starts_without_torch(flowers: Path) -> None:
    code = """
import sys
import flowergui.__main__, flowergui.cli.commands
print("torch" in sys.modules, "PySide6" in sys.modules, flush=True)
left = flowergui.__main__.main(["inspect", sys.argv[1], "--json"])
print(left, "PySide6" in sys.modules)
"""

    done = subprocess.run(
        [sys.executable, "-c", code, str(flowers)], capture_output=True, text=True, timeout=120
    )

    lines = done.stdout.splitlines()
    assert lines[0] == "False False"
    assert json.loads(lines[-2])["event"] == "Scanned"
    assert lines[-1] == "0 False"


# --- stopping ---------------------------------------------------------------------------------


def run_until(events: Callable[[LiveRequests], Iterator[Event]]) -> int:
    """What `train` comes to where the task is `events`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "train", lambda recipe, live, models: events(live))
        return commands.run(["train", "photos", *PLAIN])


@contextmanager
def handlers_kept() -> Iterator[None]:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_the_run_to_stop(
    number: signal.Signals, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(only_run(trained))
    seen: list[bool] = []

    def events(live: LiveRequests) -> Iterator[Event]:
        seen.append(live.stop)
        signal.raise_signal(number)
        seen.append(live.stop)
        yield OPENED
        yield Saved(f"{run}/last.pth", 3, 1)
        yield Stopped(run, 3, 1)

    with handlers_kept():
        assert run_until(events) == 0

    assert seen == [False, True]
    assert f"To resume it: flowergui resume {run}" in capsys.readouterr().out


def test_a_second_interrupt_ends_it_at_once() -> None:
    went_on = []

    def events(_: LiveRequests) -> Iterator[Event]:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        went_on.append(True)
        yield EPOCH

    with handlers_kept():
        assert run_until(events) == 130

    assert not went_on


def test_stopped_before_the_run_began(capsys: pytest.CaptureFixture[str]) -> None:
    def events(live: LiveRequests) -> Iterator[Event]:
        live.stop = True
        yield DownloadProgress("weights", 1, 2)

    assert run_until(events) == 130
    assert "before the run began" in capsys.readouterr().err


def test_interrupting_a_running_process_keeps_the_run(flowers: Path, tmp_path: Path) -> None:
    wish = ["train", str(flowers), *PLAIN, "--epochs", "9999", "--models-folder", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowergui", *wish, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if json.loads(line)["event"] == "BatchDone":
                break
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert "Traceback" not in said
    saved, stopped = events_of(rest)[-2:]
    assert (saved["event"], stopped["event"]) == ("Saved", "Stopped")
    last = torch.load(only_run(tmp_path) / "last.pth", weights_only=True)
    assert Path(saved["path"]) == only_run(tmp_path) / "last.pth"
    assert last["step"] >= 1
    assert last["classes"] == ["poppy", "violet"]


def test_a_reader_who_leaves_costs_no_run(flowers: Path, tmp_path: Path) -> None:
    wish = ["train", str(flowers), *PLAIN, "--epochs", "9999", "--models-folder", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowergui", *wish, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        for line in process.stdout:
            if json.loads(line)["event"] == "BatchDone":
                break
        process.stdout.close()
        said = process.stderr.read()
        process.wait(60)

    assert "Traceback" not in said
    assert "Broken" not in said
    assert process.returncode == 1
    assert torch.load(only_run(tmp_path) / "last.pth", weights_only=True)["step"] >= 1


# --- the console ------------------------------------------------------------------------------


def test_numbers_that_json_lacks_are_null() -> None:
    told = json_line(SaveFailed("last.pth", "full"))
    assert json.loads(told) == {"event": "SaveFailed", "path": "last.pth", "reason": "full"}
    lost = EpochDone(1, 1, 1, float("inf"), 0.5, float("nan"), 0.5, 0.5, 1, 0.1, 1.0)

    told = json_line(lost)

    assert "NaN" not in told
    assert "Infinity" not in told
    assert json.loads(told)["val_loss"] is None


def test_a_terminal_shows_a_bar_and_keeps_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=True)

    for event in (DownloadProgress("net.pth", 1, 0), BATCH, ValidationProgress(1, 1, 1), EPOCH):
        console.report(event)
    console.close()

    printed = capsys.readouterr()
    assert "Downloading net.pth" in printed.err
    assert "Epoch 1:" in printed.err
    assert "Validating epoch 1" in printed.err
    assert printed.out == (
        "epoch 1/2, loss 0.700, accuracy 50.0%, validation loss 0.600, "
        "validation accuracy 62.5%, the best so far, 1.5 s\n"
    )


def test_elsewhere_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)

    console.report(BATCH)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("as_json", [True, False])
def test_what_failed_to_the_end_makes_the_exit_code(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(as_json=as_json, terminal=False)

    console.report(SaveFailed("run/last.pth", "the disk is full"))
    assert console.code == 1
    console.report(Saved("run/last.pth", 1, 2))
    assert console.code == 0
    console.report(PredictionFailed("a.jpg", "a.jpg can't be read: it is empty."))
    assert console.code == 1

    said = capsys.readouterr().err
    assert "run/last.pth could not be saved: the disk is full." in said
    assert "a.jpg can't be read: it is empty." in said


def test_a_stop_that_could_not_save_promises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)

    console.report(SaveFailed(str(Path("run") / "last.pth"), "the disk is full"))
    console.report(Stopped("run", 3, 1))

    assert "To resume it" not in capsys.readouterr().out


def test_a_finish_that_could_not_save_promises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)

    console.report(SaveFailed(str(Path("run") / "best.pth"), "the disk is full"))
    console.report(Finished("run", 3, 0.5, 1, 10.0))

    said = capsys.readouterr().out
    assert "could not be saved" in said
    assert "Next:" not in said
    assert console.code == 1


def test_a_run_without_a_validation_set_has_no_best_accuracy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(as_json=False, terminal=False)
    console.report(replace(EPOCH, val_loss=None, val_accuracy=None, best_accuracy=0.0))
    console.report(Finished("run", 2, 0.0, 2, 10.0))
    first, *said = capsys.readouterr().out.splitlines()
    assert first == "epoch 1/2, loss 0.700, accuracy 50.0%, 1.5 s"
    assert said[0] == "2 epochs done in 10.0 s."
    assert not any("validation" in line or "0.0%" in line for line in said)


def test_weights_mean_a_transfer(flowers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(["train", str(flowers), "--weights", "nowhere.pth"]) == 2
    assert "There is no file nowhere.pth" in capsys.readouterr().err
    wish = ["train", str(flowers), "--weights", "nowhere.pth", "--mode", "scratch"]
    assert commands.run(wish) == 2
    assert "Only a transfer starts from pretrained weights." in capsys.readouterr().err
