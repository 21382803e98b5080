"""A run's small files: what is written is read again, and what is torn does no harm."""

import csv
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, EpochDone
from flowergui.store import library
from flowergui.store.run_facts import run_facts
from flowergui.store.run_folder import RunFolder

BATCHES = [
    BatchDone(1, number, 3, number, 1 / (3 * number), number / 7, 0.001 / 3, 32)
    for number in (1, 2, 3)
]
EPOCH = EpochDone(1, 5, 3, 0.1 + 0.2, 0.5, 1 / 3, 2 / 3, 2 / 3, 1, 0.001, 12.25)
UNVALIDATED = replace(EPOCH, epoch=2, step=6, val_loss=None, val_accuracy=None)


@pytest.fixture
def run(models: Path) -> RunFolder:
    return RunFolder.create(models, Recipe(photos="/fotos/Rösli", model="resnet50", epochs=5))


def test_create_makes_a_folder_of_its_own(models: Path, run: RunFolder) -> None:
    second = RunFolder.create(models, run.recipe())
    assert second.path != run.path
    assert run.path.parent == models
    assert run.path.name.endswith("_resnet50_scratch")
    assert run.exists()
    assert run.recipe() == Recipe(photos="/fotos/Rösli", model="resnet50", epochs=5)


def test_create_says_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FlowerError, match="can't be saved in"):
        RunFolder.create(tmp_path / "file" / "models", Recipe())


def test_recipes_that_cannot_be_read(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="holds no run"):
        RunFolder(tmp_path).recipe()
    (run.path / "recipe.json").write_text('{"epochs": ')
    with pytest.raises(FlowerError, match=r"recipe in .* can't be read"):
        run.recipe()


def test_split_survives(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "rose").mkdir()
    (tmp_path / "rose" / "a, b.jpg").write_bytes(b"123")
    assert run.split() == []
    rows = [
        ("rose/a, b.jpg", "rose", "train"),
        ('tulip/"é\udcff".jpg', "tulip", "validation"),  # a name that is no UTF-8
    ]
    run.write_split(("rose", "tulip"), rows, tmp_path)
    assert run.split() == rows
    assert [size for *_, size in run.split_and_sizes()] == [3, None]


def test_history_survives_to_the_last_bit(run: RunFolder) -> None:
    assert list(run.history.events()) == []
    run.history.append(BATCHES)
    run.history.append([EPOCH, UNVALIDATED])
    assert list(run.history.events()) == [*BATCHES, EPOCH, UNVALIDATED]


@pytest.mark.parametrize("torn", range(1, 12))
def test_a_torn_last_row_is_left_out(run: RunFolder, torn: int) -> None:
    run.history.append([*BATCHES, UNVALIDATED])
    path = run.path / "history.csv"
    text = path.read_text().rstrip()
    cells = text.split(",")
    path.write_text(",".join(cells[:-torn]))
    assert list(run.history.events()) == BATCHES


def test_cut_back_drops_what_came_after_the_checkpoint(run: RunFolder) -> None:
    run.history.append([*BATCHES, EPOCH])
    run.history.cut_back(3, epoch=2)
    assert list(run.history.events()) == [*BATCHES, EPOCH]
    run.history.cut_back(3, epoch=1)  # all its batches were done, but not its validation
    assert list(run.history.events()) == BATCHES
    run.history.cut_back(2, epoch=1)
    assert list(run.history.events()) == BATCHES[:2]
    run.history.append(BATCHES[2:])
    assert list(run.history.events()) == BATCHES
    run.history.cut_back(0, epoch=1)
    assert list(run.history.events()) == []


def rewritten(run: RunFolder, change: Callable[[list[list[str]]], object]) -> Path:
    """history.csv after `change` has edited its cells."""
    path = run.path / "history.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    change(rows)
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    return path


def everything(run: RunFolder) -> tuple[object, ...]:
    return list(run.history.events()), run.history.epochs(), run.history.newest()


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_history_that_a_spreadsheet_has_saved(
    run: RunFolder, mark: str, separator: str, end: str
) -> None:
    run.history.append([*BATCHES, EPOCH])
    before = everything(run)
    path = run.path / "history.csv"
    text = path.read_text()
    if separator == ";":
        text = text.replace(",", ";").replace(".", ",")
    path.write_bytes((mark + end.join(text.splitlines()) + end).encode())
    assert everything(run) == before
    run.history.append([UNVALIDATED])
    assert list(run.history.events()) == [*BATCHES, EPOCH, UNVALIDATED]
    run.history.cut_back(2, epoch=1)
    assert list(run.history.events()) == BATCHES[:2]


def test_a_history_with_a_column_of_a_later_version(run: RunFolder) -> None:
    run.history.append([*BATCHES, EPOCH])
    before = everything(run)

    def add(rows: list[list[str]]) -> None:
        for number, row in enumerate(rows):
            row.insert(2, "gradient_norm" if number == 0 else "1.5")

    path = rewritten(run, add)
    assert everything(run) == before
    run.history.append([UNVALIDATED])
    assert list(run.history.events()) == [*BATCHES, EPOCH, UNVALIDATED]
    run.history.cut_back(3, epoch=2)
    with path.open(newline="") as file:
        kept = [row["gradient_norm"] for row in csv.DictReader(file)]
    assert kept == ["1.5"] * 4  # what this version does not know is not lost
    assert everything(run) == before


def test_a_history_without_a_column_of_this_version(run: RunFolder) -> None:
    run.history.append([*BATCHES, EPOCH])

    def remove(rows: list[list[str]]) -> None:
        gone = [rows[0].index(name) for name in ("photos", "val_accuracy", "seconds")]
        rows[:] = [[cell for at, cell in enumerate(row) if at not in gone] for row in rows]

    rewritten(run, remove)
    batches = [replace(batch, photos=0) for batch in BATCHES]
    epoch = replace(EPOCH, val_accuracy=None, seconds=0.0)
    assert everything(run) == ([*batches, epoch], [epoch], (epoch, epoch))
    run.history.append([UNVALIDATED])  # and it is kept whole
    assert list(run.history.events()) == [*batches, epoch, UNVALIDATED]


@pytest.mark.parametrize("damage", [b"batch,1\r,2\r,3\n", b'"batch,1', b"\xff\x00\n"])
def test_a_damaged_row_hides_only_what_follows(run: RunFolder, damage: bytes) -> None:
    run.history.append(BATCHES)
    with (run.path / "history.csv").open("ab") as file:
        file.write(damage)
    assert list(run.history.events()) == BATCHES
    assert run.history.epochs() == []
    assert run.history.newest()[0] is None
    assert run_facts(run).epochs_done == 0


def test_a_full_disk_leaves_whole_rows(run: RunFolder, small_files) -> None:
    run.history.append(BATCHES[:1])
    room = (run.path / "history.csv").stat().st_size + 20
    with small_files(room), pytest.raises(OSError, match="large"):
        run.history.append(BATCHES[1:])
    assert list(run.history.events()) == BATCHES[:1]
    run.history.append(BATCHES[1:])
    assert list(run.history.events()) == BATCHES


def test_what_cannot_be_written_leaves_what_was(run: RunFolder, small_files) -> None:
    before = run.recipe()
    with small_files(20), pytest.raises(FlowerError, match=r"recipe\.json can't be written into"):
        run.write_recipe(replace(before, epochs=9))
    assert run.recipe() == before
    assert [path.name for path in run.path.iterdir()] == ["recipe.json"]


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


def test_facts_say_how_far_it_came(run: RunFolder) -> None:
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


def test_a_foreign_classes_json_replaces_no_labels(run: RunFolder, tmp_path: Path) -> None:
    rows = [("rose/a.jpg", "rose", "train"), ("tulip/a.jpg", "tulip", "train")]
    run.write_split(("rose", "tulip"), rows, tmp_path)
    assert run.current_classes(("rosa", "tulip")) == ("rose", "tulip")  # one was renamed
    assert run.current_classes(("rosa",)) == ("rose",)  # and one is new
    assert run.current_classes(("rose", "tulip", "iris")) == ("rose", "tulip", "iris")
    names = run.path / "classes.json"
    for foreign in ('["cat", "dog"]', '{"0": "cat", "1": "dog"}', "[1, 2]", "spoilt"):
        names.write_text(foreign)
        assert run.current_classes(("rosa", "tulip")) == ("rosa", "tulip")
    (run.path / "recipe.json").unlink()
    names.write_text('["rose", "tulip"]')
    assert run.classes() == ()
    assert run.current_classes(("rosa", "tulip")) == ("rosa", "tulip")  # it is no run


def test_a_split_that_a_spreadsheet_has_saved(run: RunFolder, tmp_path: Path) -> None:
    run.write_split(("rose",), [("rose/a.jpg", "rose", "train")], tmp_path)
    path = run.path / "split.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert run.split() == [("rose/a.jpg", "rose", "train")]
    path.write_text("split,class,path\n\ntrain,rose,rose/b.jpg\n")  # without the sizes, as once
    assert list(run.split_and_sizes()) == [("rose/b.jpg", "rose", "train", None)]
    header = "path,class,split,bytes\n"
    for spoilt in (
        "a;b;c\n1;2;3\n",
        "path\na",
        f"{header}a.jpg,rose\n",
        f"{header}a,b,trial,1",
        f"{header}a\rb",
    ):
        path.write_text(spoilt)
        with pytest.raises(FlowerError, match=r"The list of images in .* can't be read"):
            run.split()


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


def test_asking_whether_a_run_trains_never_refuses_its_start(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Recipe())
    with run.locked():
        pass
    asking = threading.Event()
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            RunFolder(run.path).is_training()
            asking.set()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert asking.wait(10)
        for _ in range(200):
            with RunFolder(run.path).locked():
                pass
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_run_that_trains_is_found_out(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Recipe())
    assert not run.is_training()
    with run.locked():
        assert RunFolder(run.path).is_training()
        with pytest.raises(FlowerError, match="is already training"), RunFolder(run.path).locked():
            pass
    assert not RunFolder(run.path).is_training()
