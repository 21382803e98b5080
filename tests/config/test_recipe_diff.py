"""In what runs differ, and what they came to."""

import csv
import logging
import math
from dataclasses import replace
from pathlib import Path

import pytest

from flowergui import tasks
from flowergui.config.recipe import SETTING, Recipe
from flowergui.config.recipe_diff import Difference, differences
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, EpochDone, RunListed, RunsCompared
from flowergui.store import csv_export, library
from flowergui.store.run_facts import run_facts, size_in_bytes
from flowergui.store.run_folder import RunFolder

EPOCH = EpochDone(1, 3, 4, 0.9, 0.4, 0.8, 0.5, 0.5, 1, 0.001, 2.5)


def found(*recipes: Recipe) -> dict[str, tuple[str, ...]]:
    return {each.label: each.values for each in differences(recipes)}


def test_what_is_the_same_is_no_difference() -> None:
    assert not differences([])
    assert not differences([Recipe()])
    assert not differences([Recipe(photos="/a"), Recipe(photos="/a")])


def test_values_read_as_people_write_them() -> None:
    plain = Recipe(photos="/a", frozen=("fc.bias",))
    other = Recipe(
        photos="/b",
        frozen=("a", "b", "c", "d"),
        scheduler="step",
        batch_size=64,
        ema=0.99,
        drop_last=True,
        image_size=96,
    )
    assert found(plain, other, plain) == {
        "Dataset": ("/a", "/b", "/a"),
        "Frozen": ("fc.bias", "4 parameters", "fc.bias"),
        "Batch size": ("32 images", "64 images", "32 images"),
        "Schedule": ("One-cycle", "StepLR", "One-cycle"),
        "Step size": ("", "30 epochs", ""),  # nothing to a one-cycle schedule
        "Gamma": ("", "0.1", ""),
        "EMA": ("off", "0.99", "off"),
        "Image size": ("the network's own", "96 px", "the network's own"),
        "Drop last batch": ("off", "on", "off"),
    }


def test_what_has_no_effect_is_no_difference() -> None:
    assert not differences([Recipe(momentum=0.5), Recipe(momentum=0.9)])  # of AdamW
    sgd = [Recipe(optimizer="sgd", momentum=each) for each in (0.5, 0.9)]
    assert differences(sgd) == (Difference("Momentum", SETTING["momentum"].help, ("0.5", "0.9")),)


def test_as_many_other_parameters_are_a_difference() -> None:
    one, other = ("a", "b", "c", "d"), ("a", "b", "c", "e")
    assert found(Recipe(frozen=one), Recipe(frozen=other), Recipe()) == {
        "Frozen": ("4 parameters, with a…", "4 parameters, with a…", "nothing")
    }
    assert found(Recipe(frozen=one), Recipe(frozen=other)) == {
        "Frozen": ("4 parameters, with d", "4 parameters, with e")
    }


def test_no_digit_is_lost() -> None:
    recipes = [
        Recipe(seed=seed, learning_rate=rate)
        for seed, rate in ((1234567, 0.001234567), (1234568, 0.001234568))
    ]
    assert found(*recipes) == {
        "Learning rate": ("0.001234567", "0.001234568"),
        "Seed": ("1234567", "1234568"),
    }
    assert [SETTING["gamma"].written(each) for each in (1.0, 0.1, 1e-8)] == ["1", "0.1", "1e-08"]


# --- a run's own figures ----------------------------------------------------------------------


def make(models: Path, name: str, recipe: Recipe, *epochs: EpochDone) -> RunFolder:
    run = RunFolder(models / name)
    run.path.mkdir(parents=True)
    run.write_recipe(recipe)
    batch = BatchDone(1, 1, 4, 1, 0.7, 0.5, 0.001, 8)
    for epoch in epochs:
        run.history.append([replace(batch, epoch=epoch.epoch, step=epoch.step), epoch])
    return run


def test_the_best_epoch_is_that_of_best_pth(models: Path) -> None:
    """The run says which it is: where photos have come, its search began anew."""
    told = [(0.5, 1), (0.9, 2), (0.7, 3), (0.6, 3)]
    epochs = [
        replace(EPOCH, epoch=n, step=4 * n, val_accuracy=accuracy, best_epoch=best)
        for n, (accuracy, best) in enumerate(told, 1)
    ]
    (listed,) = tasks.compare([make(models, "run", Recipe(), *epochs).path])
    assert isinstance(listed, RunListed)
    assert listed.epochs == tuple(epochs)
    assert listed.best == epochs[2]
    assert listed.seconds == 10.0


def test_a_run_without_validation_or_epochs_has_no_best(models: Path) -> None:
    blind = replace(EPOCH, val_accuracy=None, val_loss=None)
    runs = [make(models, "blind", Recipe(), blind), make(models, "new", Recipe())]
    first, second, _ = tasks.compare([run.path for run in runs])
    assert isinstance(first, RunListed)
    assert isinstance(second, RunListed)
    assert (first.best, first.epochs) == (None, (blind,))
    assert (second.best, second.epochs, second.seconds) == (None, (), 0)


def test_figures_that_cannot_be_end_a_history(models: Path) -> None:
    second, third = (replace(EPOCH, epoch=n, step=4 * n) for n in (2, 3))
    run = make(models, "run", Recipe(), EPOCH, replace(second, seconds=math.nan), third)
    assert run.history.epochs() == [EPOCH]
    assert [each for each in run.history.events() if isinstance(each, EpochDone)] == [EPOCH]


def test_a_run_that_cannot_be_read_is_refused_in_a_sentence(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = make(models, "run", Recipe())
    (run.path / "history.csv").mkdir()
    with pytest.raises(FlowerError, match=r"run in .*run can't be read: Is a directory"):
        list(tasks.compare([run.path]))
    with caplog.at_level(logging.WARNING):
        assert list(tasks.compare()) == []
    assert "can't be listed" in caplog.text


def test_what_is_no_file_has_no_size(models: Path) -> None:
    run = make(models, "run", Recipe())
    before = size_in_bytes(run)
    (run.path / "loop").symlink_to("loop")
    assert size_in_bytes(run) == before


def test_an_epoch_that_is_half_written_is_left_out(models: Path) -> None:
    run = make(models, "run", Recipe(), EPOCH, replace(EPOCH, epoch=2, step=8))
    history = run.path / "history.csv"
    history.write_bytes(history.read_bytes()[:-2])
    assert run.history.epochs() == [EPOCH]
    assert RunFolder(models / "none").history.epochs() == []


def test_a_file_of_two_names_counts_once(models: Path) -> None:
    run = make(models, "run", Recipe())
    before = size_in_bytes(run)
    run.last.write_bytes(bytes(1_000))
    run.keep(run.last, run.best)
    assert size_in_bytes(run) == before + 1_000


def test_all_runs_newest_first_and_those_that_are_named_in_their_order(models: Path) -> None:
    days = [make(models, f"2026-01-0{n}_a_b", Recipe(epochs=n), EPOCH) for n in (1, 3, 2)]
    (models / "2026-02-01_broken").mkdir()
    (models / "2026-02-01_broken" / "recipe.json").write_text("{")
    listed = list(tasks.compare())
    assert [each.run.recipe.epochs for each in listed if isinstance(each, RunListed)] == [3, 2, 1]
    assert not any(isinstance(each, RunsCompared) for each in listed)

    days[1].last.touch()
    *named, compared = tasks.compare([days[0].path, days[1].last])  # a checkpoint names its run
    assert [each.run.recipe.epochs for each in named if isinstance(each, RunListed)] == [1, 3]
    assert isinstance(compared, RunsCompared)
    assert compared.runs == (str(days[0].path), str(days[1].path))
    assert [each.values for each in compared.differences] == [("1", "3")]


def test_what_is_no_run_is_refused_before_anything_is_told(models: Path, tmp_path: Path) -> None:
    run = make(models, "run", Recipe())
    with pytest.raises(FlowerError, match="holds no run"):
        next(tasks.compare([run.path, tmp_path]))


def test_a_run_goes_on_while_it_is_held(models: Path) -> None:
    run = make(models, "run", Recipe())
    left = run.path / ".last.pth.1.tmp"
    left.touch()
    assert not library.is_training(run.path)
    with run.locked():
        left.touch()
        assert library.is_training(run.path)
    assert not library.is_training(run.path)
    assert left.exists()  # to ask changes nothing
    assert not library.is_training(models / "none")
    assert not (models / "none").exists()
    lock = make(models, "odd", Recipe()).path / ".lock"
    lock.mkdir()
    assert not library.is_training(lock.parent)


def test_a_note_that_an_editor_has_marked(models: Path) -> None:
    run = make(models, "a", Recipe())
    (run.path / "note.txt").write_text("\ufeffRösli\n", "utf-8")
    assert run_facts(run).note == "Rösli"


def test_the_table_has_a_line_a_run(models: Path, tmp_path: Path) -> None:
    frozen = Recipe(photos="/fotos/Rösli", frozen=("a", "b"), image_size=0, learning_rate=1e-3)
    make(models, "2026-01-02_a", replace(frozen, weights="/\ud800.pth"), EPOCH)
    library.write_note(make(models, "2026-01-01_b", Recipe()).path, "+ mehr\nRosen")
    table = tmp_path / "t.csv"
    csv_export.write_runs(table, [each for each in tasks.compare() if isinstance(each, RunListed)])
    with table.open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert first["run"].endswith("2026-01-02_a")
    assert (first["val_accuracy"], first["best_epoch"], first["seconds"]) == ("0.5", "1", "2.5")
    assert (first["photos"], first["frozen"]) == ("/fotos/Rösli", "a b")
    assert (first["learning_rate"], first["image_size"]) == ("0.001", "the network's own")
    assert (second["val_accuracy"], second["epochs_done"]) == ("", "0")
    assert (first["note"], second["note"]) == ("", "'+ mehr Rosen")
    with pytest.raises(FlowerError, match=r"t\.csv can't be written"):
        csv_export.write_runs(tmp_path / "none" / "t.csv", [])
