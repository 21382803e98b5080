"""What a network says of photos, as a table for spreadsheets."""

import csv
from pathlib import Path

import pytest

from flowergui.errors import FlowerError
from flowergui.events import PhotoEvaluated
from flowergui.store.predictions_csv import table


def test_a_line_for_each_photo(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    odd = b"rose/\xff.jpg".decode("utf-8", "surrogateescape")  # a name that is no UTF-8
    with table(path) as write:
        write(PhotoEvaluated("a.jpg", "rose", "réséda, jaune", 0.75, 0.1))
        write(PhotoEvaluated(odd, "iris", "iris", 1.0, 1.0))
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")  # so that Excel reads UTF-8
    assert b"rose/\xff.jpg" in raw
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["label"], first["guess"], first["right"]) == ("rose", "réséda, jaune", "0")
    assert (float(first["probability"]), float(first["label_probability"])) == (0.75, 0.1)
    assert (second["path"], second["right"]) == (odd, "1")


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    def breaks_off() -> None:
        with table(tmp_path / "table.csv") as write:
            write(PhotoEvaluated("a.jpg", "rose", "iris", 0.75, 0.1))
            raise BrokenPipeError  # of stdout: no matter of the table

    with pytest.raises(BrokenPipeError):
        breaks_off()
    assert len((tmp_path / "table.csv").read_text("utf-8-sig").splitlines()) == 2


def test_a_place_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    with (
        pytest.raises(FlowerError, match=r"table\.csv can't be written: No such file"),
        table(tmp_path / "none" / "table.csv"),
    ):
        raise AssertionError


def test_a_full_disk_is_said(tmp_path: Path, small_files) -> None:
    def fill() -> None:
        with table(tmp_path / "table.csv") as write:
            for number in range(10_000):
                write(PhotoEvaluated(f"{number}.jpg", "rose", "iris", 0.75, 0.1))

    with small_files(100), pytest.raises(FlowerError, match=r"table\.csv can't be written"):
        fill()
