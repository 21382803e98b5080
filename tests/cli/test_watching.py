"""`flowergui watch` and `flowergui stop`, beside a process that trains."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import PLAIN, events_of, kinds, only_run

from flowergui.cli import commands
from flowergui.store.run_folder import RunFolder


def test_a_run_that_is_over_is_told_at_once(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["watch", str(only_run(trained))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines[:2]] == ["epoch 1/2", "epoch 2/2"]
    assert "2 epochs done" in lines[2]


def test_json_has_a_line_for_each_epoch(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(["watch", str(only_run(trained)), "--json"]) == 0
    events = events_of(capsys.readouterr().out)
    assert kinds(events) == ["EpochDone", "EpochDone", "Finished"]


def test_another_process_is_watched_and_stopped(flowers: Path, tmp_path: Path) -> None:
    argv = ["train", str(flowers), *PLAIN, "--epochs", "9999", "--models-folder", str(tmp_path)]
    command = [sys.executable, "-m", "flowergui"]
    trains = subprocess.Popen(
        [*command, *argv, "--json"], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert trains.stdout is not None
    with trains:
        for line in trains.stdout:
            if json.loads(line)["event"] == "EpochDone":
                break
        watches = subprocess.Popen(
            [*command, "watch", str(tmp_path), "--json"], stdout=subprocess.PIPE, text=True
        )
        with watches:
            stop = [*command, "stop", str(tmp_path)]
            assert (
                "asked to stop"
                in subprocess.run(stop, capture_output=True, text=True, check=True).stdout
            )
            rest, _ = trains.communicate(timeout=60)
            seen, _ = watches.communicate(timeout=60)

    assert trains.returncode == watches.returncode == 0
    assert kinds(events_of(rest))[-1] == "Stopped"
    epochs = [each for each in events_of(seen) if each["event"] == "EpochDone"]
    assert [each["epoch"] for each in epochs] == list(range(1, len(epochs) + 1))
    assert kinds(events_of(seen))[-1] == "Stopped"
    assert not RunFolder(only_run(tmp_path)).request.path.exists()


def test_a_run_that_does_not_train_can_not_be_stopped(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["stop", str(only_run(trained))]) == 2
    assert "is not training" in capsys.readouterr().err


def test_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("watch", "stop"):
        assert commands.run([command, str(tmp_path)]) == 2
        assert "There is no run in" in capsys.readouterr().err
