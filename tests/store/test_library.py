"""The runs on disk are found, whatever else lies among them."""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from flowergui import tasks
from flowergui.cli import commands
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import EpochDone, RunsFound
from flowergui.store import library
from flowergui.store.run_folder import RunFolder

EPOCH = EpochDone(1, 3, 4, 0.9, 0.4, 0.8, 0.5, 0.5, 1, 0.001, 2.5)

NOBODY = 65534


@contextmanager
def no_root() -> Iterator[None]:
    """Root may open everything; while this holds, it is an ordinary user, who may not be able to
    import modules: do all once before."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of models that every user may read."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setenv("FLOWERGUI_MODELS", str(folder))
    yield folder
    shutil.rmtree(folder)


def made(models: Path, name: str, trained: float = 0.0, **settings: object) -> RunFolder:
    """A run; if it was `trained` (seconds of time.time), it has a checkpoint of that time."""
    run = RunFolder(models / name)
    run.path.mkdir(parents=True)
    run.write_recipe(replace(Recipe(), **settings))
    run.history.append([EPOCH])
    if trained:
        run.last.touch()
        os.utime(run.last, (trained, trained))
    return run


def test_a_closed_folder_among_the_models_is_passed_over_and_named(
    home: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    made(home, "good", time.time())
    secret = home / "lost+found"
    secret.mkdir(mode=0o000)

    named = []

    def look() -> None:
        (found,) = tasks.find_runs()
        assert isinstance(found, RunsFound)
        assert [Path(run.path).name for run in found.runs] == ["good"]
        named.append([(Path(each.path).name, each.reason) for each in found.problems])
        assert commands.run(["runs"]) == 0
        assert library.newest_run(home) == home / "good"

    look()
    try:
        with no_root(), caplog.at_level(logging.WARNING):
            look()
    finally:
        secret.chmod(0o755)
    assert named[-1] == [("lost+found", "Permission denied")]
    assert "lost+found can't be listed: Permission denied" in caplog.text
    assert "good" in capsys.readouterr().out


def test_models_that_are_closed_are_refused_in_a_sentence(home: Path) -> None:
    made(home, "good")
    home.chmod(0o311)
    try:
        with (
            no_root(),
            pytest.raises(FlowerError, match=r"folder for runs and weights.*Permission denied"),
        ):
            list(tasks.find_runs())
    finally:
        home.chmod(0o755)


@pytest.mark.parametrize("name", ["history.csv", "split.csv", "recipe.json", "note.txt"])
@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "latin-1", "zeros", "folder", "pipe"])
def test_an_odd_run_hides_no_other(
    models: Path, caplog: pytest.LogCaptureFixture, name: str, code: str
) -> None:
    made(models, "2026-01-01_good")
    odd = made(models, "2026-01-02_odd", photos="/é").path / name
    before = odd.read_bytes() if odd.exists() else "é,ä\n".encode()
    odd.unlink(missing_ok=True)
    match code:
        case "zeros":
            odd.write_bytes(before + bytes(300_000))
        case "folder":
            odd.mkdir()
        case "pipe":
            os.mkfifo(odd)
        case _:
            odd.write_bytes(before.decode().encode(code))
    with caplog.at_level(logging.WARNING):
        names = [Path(run.path).name for run in library.runs(models)]
        listed = list(tasks.compare(models=models))
    assert names[-1] == "2026-01-01_good"
    assert len(listed) == len(names)
    if len(names) == 1 and os.path.isfile(odd.with_name("recipe.json")):  # else it is no run
        assert "2026-01-02_odd can't be listed" in caplog.text


def test_the_newest_run_is_the_one_that_was_last_trained(models: Path) -> None:
    now = time.time()
    made(models, "2026-01-03_a", now - 300)
    made(models, "2026-01-01_b", now - 100)  # resumed after the others
    made(models, "2026-01-02_c", now - 200)
    assert library.newest_run(models).name == "2026-01-01_b"
    names = [Path(run.path).name for run in library.runs(models)]
    assert names == ["2026-01-01_b", "2026-01-02_c", "2026-01-03_a"]


def test_a_clock_that_was_set_back_leaves_the_newest_run(models: Path) -> None:
    now = time.time()
    made(models, "2031-01-01_ahead", now + 1e8)  # trained while the clock was wrong
    made(models, "2026-01-01_after", now - 10)
    assert library.newest_run(models).name == "2026-01-01_after"
    made(models, "2032-01-01_ahead", now + 2e8)
    assert library.newest_run(models).name == "2026-01-01_after"
