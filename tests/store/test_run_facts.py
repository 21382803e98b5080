"""The results of runs, from their small files."""

import csv
import logging
import math
from dataclasses import replace
from pathlib import Path

import pytest

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, EpochDone, RunListed, RunsCompared
from flowergui.store import csv_export, library
from flowergui.store.run_facts import run_facts, size_in_bytes
from flowergui.store.run_folder import RunFolder

BATCHES = [
    BatchDone(1, number, 3, number, 1 / (3 * number), number / 7, 0.001 / 3, 32)
    for number in (1, 2, 3)
]


EPOCH = EpochDone(1, 5, 3, 0.1 + 0.2, 0.5, 1 / 3, 2 / 3, 2 / 3, 1, 0.001, 12.25)


LISTED_EPOCH = EpochDone(1, 3, 4, 0.9, 0.4, 0.8, 0.5, 0.5, 1, 0.001, 2.5)


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
        replace(LISTED_EPOCH, epoch=n, step=4 * n, val_accuracy=accuracy, best_epoch=best)
        for n, (accuracy, best) in enumerate(told, 1)
    ]
    (listed,) = tasks.compare([make(models, "run", Recipe(), *epochs).path])
    assert isinstance(listed, RunListed)
    assert listed.epochs == tuple(epochs)
    assert listed.best == epochs[2]
    assert listed.seconds == 10.0


def test_a_run_without_validation_or_epochs_has_no_best(models: Path) -> None:
    blind = replace(LISTED_EPOCH, val_accuracy=None, val_loss=None)
    runs = [make(models, "blind", Recipe(), blind), make(models, "new", Recipe())]
    first, second, _ = tasks.compare([run.path for run in runs])
    assert isinstance(first, RunListed)
    assert isinstance(second, RunListed)
    assert (first.best, first.epochs) == (None, (blind,))
    assert (second.best, second.epochs, second.seconds) == (None, (), 0)


def test_impossible_figures_end_a_history(models: Path) -> None:
    second, third = (replace(LISTED_EPOCH, epoch=n, step=4 * n) for n in (2, 3))
    run = make(models, "run", Recipe(), LISTED_EPOCH, replace(second, seconds=math.nan), third)
    assert run.history.epochs() == [LISTED_EPOCH]
    assert [each for each in run.history.events() if isinstance(each, EpochDone)] == [LISTED_EPOCH]


def test_a_run_that_cannot_be_read_is_refused_in_a_sentence(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = make(models, "run", Recipe())
    (run.path / "history.csv").mkdir()
    with pytest.raises(FlowerError, match=r"history\.csv can't be read: it is not a file\."):
        list(tasks.compare([run.path]))
    with caplog.at_level(logging.WARNING):
        assert list(tasks.compare()) == []
    assert "can't be listed" in caplog.text


def test_folders_have_no_size(models: Path) -> None:
    run = make(models, "run", Recipe())
    before = size_in_bytes(run)
    (run.path / "loop").symlink_to("loop")
    assert size_in_bytes(run) == before


def test_an_epoch_that_is_half_written_is_left_out(models: Path) -> None:
    run = make(models, "run", Recipe(), LISTED_EPOCH, replace(LISTED_EPOCH, epoch=2, step=8))
    history = run.path / "history.csv"
    history.write_bytes(history.read_bytes()[:-2])
    assert run.history.epochs() == [LISTED_EPOCH]
    assert RunFolder(models / "none").history.epochs() == []


def test_a_hard_link_counts_once(models: Path) -> None:
    run = make(models, "run", Recipe())
    before = size_in_bytes(run)
    run.last.write_bytes(bytes(1_000))
    run.keep(run.last, run.best)
    assert size_in_bytes(run) == before + 1_000


def test_all_runs_newest_first_and_those_that_are_named_in_their_order(models: Path) -> None:
    days = [make(models, f"2026-01-0{n}_a_b", Recipe(epochs=n), LISTED_EPOCH) for n in (1, 3, 2)]
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


def test_a_path_that_is_no_run_is_refused_before_any_event(models: Path, tmp_path: Path) -> None:
    run = make(models, "run", Recipe())
    with pytest.raises(FlowerError, match="holds no run"):
        next(tasks.compare([run.path, tmp_path]))


def test_a_run_is_training_while_it_is_locked(models: Path) -> None:
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


def test_a_note_with_a_byte_order_mark(models: Path) -> None:
    run = make(models, "a", Recipe())
    (run.path / "note.txt").write_text("\ufeffRösli\n", "utf-8")
    assert run_facts(run).note == "Rösli"


def test_the_table_has_a_row_for_each_run(models: Path, tmp_path: Path) -> None:
    frozen = Recipe(photos="/fotos/Rösli", frozen=("a", "b"), image_size=0, learning_rate=1e-3)
    make(models, "2026-01-02_a", replace(frozen, weights="/\ud800.pth"), LISTED_EPOCH)
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


@pytest.fixture
def run(models: Path) -> RunFolder:
    return RunFolder.create(models, Recipe(photos="/fotos/Rösli", model="resnet50", epochs=5))


def test_facts(run: RunFolder) -> None:
    facts = run_facts(run)
    assert (facts.epochs_done, facts.best_accuracy, facts.last, facts.best) == (0, 0.0, "", "")
    run.history.append([*BATCHES, EPOCH])
    run.previous.touch()
    assert run_facts(run).last == str(run.previous)  # a crash between two renames leaves no last
    run.last.touch()
    run.best.touch()
    facts = run_facts(run)
    assert facts.recipe == run.recipe()
    assert (facts.epochs_done, facts.batch, facts.best_accuracy) == (1, 0, 2 / 3)
    assert (facts.last, facts.best) == (str(run.last), str(run.best))
    assert not facts.finished


def test_facts_have_the_progress(run: RunFolder) -> None:
    def stands() -> tuple[int, int, float]:
        facts = run_facts(run)
        return facts.epochs_done, facts.batch, facts.best_accuracy

    run.history.append(BATCHES[:2])
    assert stands() == (0, 2, 0.0)
    run.history.append([BATCHES[2], EPOCH])
    run.history.append([replace(batch, epoch=2, step=batch.step + 3) for batch in BATCHES[:2]])
    assert stands() == (1, 2, 2 / 3)
    with (run.path / "history.csv").open("a") as file:
        file.write("batch,2,3")
    assert stands() == (1, 2, 2 / 3)
    run.history.append([])
    run.write_recipe(replace(run.recipe(), epochs=1))
    assert run_facts(run).finished


def test_the_classes_are_counted_without_the_photos(run: RunFolder, tmp_path: Path) -> None:
    assert run_facts(run).class_count == 0
    rows = [("rose/a.jpg", "rosé\udcff", "train"), ("tulip/a.jpg", "tulip", "train")]
    run.write_split(("tulip", "rosé\udcff"), rows, tmp_path)
    names = run.path / "classes.json"
    assert names.read_bytes() == b'[\n"tulip",\n"ros\xc3\xa9\xff"\n]\n'
    split = run.path / "split.csv"
    kept = split.read_bytes()
    split.write_text("spoilt")
    assert run_facts(run).class_count == 2
    split.write_bytes(kept)
    for old in (lambda: names.write_text("[1,"), lambda: names.write_text("3"), names.unlink):
        old()
        assert run_facts(run).class_count == 2


def test_a_run_that_somebody_renamed_is_no_newer_for_it(models: Path) -> None:
    older = RunFolder.create(models, Recipe())
    older.write_recipe(Recipe())
    older.path.rename(models / "my roses")
    newer = models / "2999-01-01_12-00-00_mynet_scratch"
    newer.mkdir()
    RunFolder(newer).write_recipe(Recipe())
    long_ago = models / "1999-01-01_12-00-00_mynet_scratch"
    long_ago.mkdir()
    RunFolder(long_ago).write_recipe(Recipe())
    names = [Path(run.path).name for run in library.runs(models)]
    assert names == [newer.name, "my roses", long_ago.name]
