"""`predict --sort-into`: many images whose classes nobody knows, sorted into folders."""

import csv
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import events_of, kinds, only_run

from flowergui import tasks
from flowergui.cli import commands
from flowergui.events import Event, PhotoCopied
from flowergui.store.sorted_copies import MANIFEST


@pytest.fixture
def unknown(flowers: Path, tmp_path: Path) -> Path:
    """A folder of six loose images, one of them in a folder below, and a file that is none."""
    folder = tmp_path / "unknown"
    (folder / "more").mkdir(parents=True)
    for number in range(3):
        for name in ("poppy", "violet"):
            shutil.copy(flowers / name / f"{number}.png", folder / f"{name}{number}.png")
    (folder / "poppy0.png").rename(folder / "more" / "poppy0.png")
    shutil.copy(flowers / "poppy" / "torn.jpg", folder)
    return folder


def test_a_folder_is_sorted_and_the_copies_are_removed_again(
    unknown: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, table = tmp_path / "out", tmp_path / "t.csv"
    words = [str(only_run(trained)), str(unknown), "--sort-into", str(out), "--unsure", "0"]

    assert commands.run(["predict", *words, "--csv", str(table), "--json"]) == 1  # for torn.jpg

    printed = capsys.readouterr()
    assert "torn.jpg can't be read" in printed.err
    events = events_of(printed.out)
    assert [kind for kind in dict.fromkeys(kinds(events)) if kind != "Preparing"] == [
        *("PhotosFound", "Predicted", "PredictionFailed", "PhotoCopied", "SortedIntoFolders"),
    ]
    best = {
        each["path"]: each["predictions"][0]["class"]
        for each in events
        if each["event"] == "Predicted"
    }
    assert len(best) == 6
    copies = {each["copy"] for each in events if each["event"] == "PhotoCopied"}
    assert copies == {str(out / label / Path(path).name) for path, label in best.items()}
    assert {str(each) for each in out.glob("*/*")} == copies
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    assert {path: rows[path]["predicted"] for path in best} == best
    assert "can't be read" in rows[str(unknown / "torn.jpg")]["problem"]

    assert commands.run(["unsort", str(out / MANIFEST)]) == 0
    assert capsys.readouterr().out == "6 copies were removed.\n"
    assert not out.exists()
    assert len([*unknown.rglob("*.png")]) == 6


def test_unsure_images_are_apart(
    unknown: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (unknown / "torn.jpg").unlink()
    words = [str(only_run(trained)), str(unknown), "--sort-into", str(tmp_path / "out")]
    assert commands.run(["predict", *words, "--unsure", "1"]) == 0
    said = capsys.readouterr().out
    assert "6 images were copied into folders of their classes" in said
    assert "6 of them are in the folder unsure." in said
    assert "flowergui unsort" in said
    assert len([*(tmp_path / "out" / "unsure").iterdir()]) == 6


@pytest.mark.parametrize("value", ["1.5", "-1", "nan", "x"])
def test_a_probability_lies_from_0_to_1(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(["predict", "x.pth", "a.jpg", f"--unsure={value}"]) == 2
    assert "is not a number from 0 to 1" in capsys.readouterr().err


def test_a_destination_that_is_a_file_is_refused_before_anything_is_predicted(
    unknown: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").touch()
    words = [str(only_run(trained)), str(unknown), "--sort-into", str(tmp_path / "out")]
    assert commands.run(["predict", *words, "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_without_room_for_the_copies_the_table_is_written(
    unknown: Path,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (unknown / "torn.jpg").unlink()
    full = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    out, table = tmp_path / "out", tmp_path / "t.csv"
    words = [str(only_run(trained)), str(unknown), "--sort-into", str(out), "--csv", str(table)]
    assert commands.run(["predict", *words]) == 1
    assert "of free space" in capsys.readouterr().err
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 6
    assert not out.exists()


def test_ctrl_c_stops_the_copying_after_an_image(
    unknown: Path,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = tasks.sort_into_folders

    def interrupted(*args: object, **options: object) -> Iterator[Event]:
        for event in real(*args, **options):  # type: ignore[arg-type]
            if isinstance(event, PhotoCopied) and event.done == 2:
                os.kill(os.getpid(), signal.SIGINT)
            yield event

    monkeypatch.setattr(tasks, "sort_into_folders", interrupted)
    words = [str(only_run(trained)), str(unknown), "--sort-into", str(tmp_path / "out")]
    assert commands.run(["predict", *words, "--json"]) == 130
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["event"], last["copied"], last["stopped"]) == ("SortedIntoFolders", 2, True)
    assert len([*(tmp_path / "out").glob("*/*")]) == 2


def test_a_manifest_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["unsort", str(tmp_path / "none.csv")]) == 2
    assert "can't be read" in capsys.readouterr().err
