"""Tables for spreadsheets: predictions of an evaluation."""

import csv
import os
from pathlib import Path

import pytest

from flowergui.errors import FlowerError
from flowergui.events import PhotoEvaluated, Predicted, PredictionFailed
from flowergui.facts import Prediction
from flowergui.store.csv_export import photos_table, predictions_table

PHOTO = PhotoEvaluated("a.jpg", "rose", "iris", 0.75, 0.1)


def test_a_row_for_each_image(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    odd = b"rose/\xff.jpg".decode("utf-8", "surrogateescape")  # a name that is not UTF-8
    with predictions_table(path) as write:
        write(PhotoEvaluated("a.jpg", "rose", "réséda, jaune", 0.75, 0.1))
        write(PhotoEvaluated(odd, "iris", "iris", 1.0, 1.0))
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")  # so that Excel reads UTF-8
    assert b"rose/\xff.jpg" in raw
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["label"], first["predicted"], first["correct"]) == ("rose", "réséda, jaune", "0")
    assert (float(first["probability"]), float(first["label_probability"])) == (0.75, 0.1)
    assert (second["path"], second["correct"]) == (odd, "1")


def test_a_row_for_each_image_whose_class_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    three = tuple(
        Prediction(name, share) for name, share in zip("abc", (0.5, 0.3, 0.2), strict=True)
    )
    with photos_table(path) as write:
        write(Predicted("1.jpg", three, "best.pth", 3))
        write(Predicted("2.jpg", three[:1], "best.pth", 3))
        write(PredictionFailed("3.jpg", "3.jpg can't be read: it is damaged."))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    assert rows == [
        ("1.jpg", "a", "0.500000", "b", "0.300000", ""),
        ("2.jpg", "a", "0.500000", "", "", ""),
        ("3.jpg", "", "", "", "", "3.jpg can't be read: it is damaged."),
    ]


@pytest.mark.parametrize("there", [True, False])
def test_an_evaluation_that_fails_leaves_the_old_table(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "table.csv"
    if there:
        path.write_text("my table")

    def fails() -> None:
        with predictions_table(path) as write:
            write(PHOTO)
            raise BrokenPipeError  # of stdout: it says nothing of the table

    with pytest.raises(BrokenPipeError):
        fails()
    assert [each.read_text() for each in tmp_path.iterdir()] == (["my table"] if there else [])


def test_a_table_replaces_another_one_whole(tmp_path: Path) -> None:
    path, link = tmp_path / "table.csv", tmp_path / "link.csv"
    path.write_text("my table")
    path.chmod(0o640)
    link.symlink_to(path)
    with predictions_table(link) as write:
        write(PHOTO)
        assert path.read_text() == "my table"
    assert len(path.read_text("utf-8-sig").splitlines()) == 2
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such device")
def test_a_device_is_written_directly() -> None:
    with predictions_table(Path("/dev/null")) as write:
        write(PHOTO)
    assert Path("/dev/null").is_char_device()


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with (
        pytest.raises(FlowerError, match=r"table\.csv can't be written: No such file"),
        predictions_table(tmp_path / "none" / "table.csv"),
    ):
        raise AssertionError


def test_a_full_disk_is_reported(tmp_path: Path, small_files) -> None:
    def fill() -> None:
        with predictions_table(tmp_path / "table.csv") as write:
            for number in range(10_000):
                write(PhotoEvaluated(f"{number}.jpg", "rose", "iris", 0.75, 0.1))

    with small_files(100), pytest.raises(FlowerError, match=r"table\.csv can't be written"):
        fill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="there is no /dev/fd")
def test_a_table_goes_into_a_pipe(tmp_path: Path) -> None:
    """As with --csv /dev/stdout in a pipeline."""
    out, into = os.pipe()
    link = tmp_path / "stdout"
    link.symlink_to(f"/dev/fd/{into}")
    with predictions_table(link) as write:
        write(PHOTO)
    os.close(into)
    with open(out, "rb") as file:
        assert file.read().startswith(b"\xef\xbb\xbfpath,")
    assert link.is_symlink()
