"""history.csv: what is written is read again, whoever has edited the file."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flowergui.config.recipe import Recipe
from flowergui.events import BatchDone, EpochDone
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


@pytest.mark.parametrize("torn", [b"batch,2,1", b'"', b"batch,1,2,3,2,0.16"])
def test_what_follows_a_torn_last_row_is_read(run: RunFolder, torn: bytes) -> None:
    run.history.append(BATCHES[:1])
    whole = run.history.path.read_bytes()
    run.history.path.write_bytes(whole + torn)
    assert run.history.append(BATCHES[1:]) == len(whole)
    assert list(run.history.events()) == BATCHES


def test_a_history_whose_header_is_torn_begins_again(run: RunFolder) -> None:
    run.history.append([])
    run.history.path.write_bytes(run.history.path.read_bytes().rstrip())
    assert run.history.append(BATCHES) == 0
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


def test_a_history_as_utf_16_is_read_and_goes_on_as_utf_8(run: RunFolder) -> None:
    run.history.append([*BATCHES, EPOCH])
    before = everything(run)
    path = run.path / "history.csv"
    path.write_bytes(path.read_text().encode("utf-16"))
    assert everything(run) == before
    run.history.append([UNVALIDATED])
    assert list(run.history.events()) == [*BATCHES, EPOCH, UNVALIDATED]
    assert path.read_bytes().startswith(b"kind,")


@pytest.mark.parametrize("content", [b"no table\n1\n", bytes(300_000), b'"' * 300_000, b"\xff\xfe"])
def test_a_history_of_which_nothing_can_be_read_is_set_aside(
    run: RunFolder, content: bytes
) -> None:
    path = run.path / "history.csv"
    path.write_bytes(content)
    assert everything(run) == ([], [], (None, None))
    if content != b"\xff\xfe":  # an empty file
        assert not run.history.cut_back(3, epoch=2)
        assert run.history.damaged.read_bytes() == content
    run.history.append(BATCHES)
    assert list(run.history.events()) == BATCHES
    assert run.history.cut_back(2, epoch=1)


@pytest.mark.parametrize("cell", ["-1", "9" * 30, "1.5", "", "x"])
def test_a_number_that_no_run_has_written_ends_a_history(run: RunFolder, cell: str) -> None:
    run.history.append(BATCHES)
    path = run.path / "history.csv"
    path.write_text(path.read_text().replace("batch,1,3,3,", f"batch,1,{cell},3,"))
    assert list(run.history.events()) == BATCHES[:2]


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
