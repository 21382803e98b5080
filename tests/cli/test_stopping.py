"""Signals stop a run, which is saved."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from command_line import EPOCH, PLAIN, STARTED, events_of, only_run

from flowergui import tasks
from flowergui.cli import commands
from flowergui.events import DownloadProgress, Event, Saved, Stopped
from flowergui.requests import LiveRequests
from flowergui.system.end_signals import end_signals


def run_until(events: Callable[[LiveRequests], Iterator[Event]]) -> int:
    """What `train` comes to where the task is `events`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "train", lambda recipe, live, *_: events(live))
        return commands.run(["train", "photos", *PLAIN])


@contextmanager
def handlers_kept() -> Iterator[None]:
    before = [signal.getsignal(number) for number in end_signals()]
    yield
    assert before == [signal.getsignal(number) for number in end_signals()]


@pytest.mark.parametrize("number", end_signals())
def test_a_signal_stops_the_run(
    number: signal.Signals, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(only_run(trained))
    seen: list[bool] = []

    def events(live: LiveRequests) -> Iterator[Event]:
        seen.append(live.stop)
        signal.raise_signal(number)
        seen.append(live.stop)
        yield STARTED
        yield Saved(f"{run}/last.pth", 3, 1)
        yield Stopped(run, 3, 1)

    with handlers_kept():
        assert run_until(events) == 0

    assert seen == [False, True]
    assert f"To resume it: flowergui resume {run}" in capsys.readouterr().out


def test_a_second_interrupt_ends_it_at_once() -> None:
    went_on = []

    def events(_: LiveRequests) -> Iterator[Event]:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        went_on.append(True)
        yield EPOCH

    with handlers_kept():
        assert run_until(events) == 130

    assert not went_on


def test_stopped_before_the_run_began(capsys: pytest.CaptureFixture[str]) -> None:
    def events(live: LiveRequests) -> Iterator[Event]:
        live.stop = True
        yield DownloadProgress("weights", 1, 2)

    assert run_until(events) == 130
    assert "before the run began" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be interrupted there")
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_interrupting_a_running_process_keeps_the_run(
    flowers: Path, tmp_path: Path, name: str
) -> None:
    argv = ["train", str(flowers), *PLAIN, "--epochs", "9999", "--models-folder", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowergui", *argv, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if json.loads(line)["event"] == "BatchDone":
                break
        process.send_signal(signal.Signals[name])
        rest, said = process.communicate(timeout=60)

    assert process.returncode == 0, said
    assert "Traceback" not in said
    saved, stopped = events_of(rest)[-2:]
    assert (saved["event"], stopped["event"]) == ("Saved", "Stopped")
    last = torch.load(only_run(tmp_path) / "last.pth", weights_only=True)
    assert Path(saved["path"]) == only_run(tmp_path) / "last.pth"
    assert last["step"] >= 1
    assert last["classes"] == ["poppy", "violet"]


def test_a_closed_stdout_loses_no_run(flowers: Path, tmp_path: Path) -> None:
    argv = ["train", str(flowers), *PLAIN, "--epochs", "9999", "--models-folder", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowergui", *argv, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        for line in process.stdout:
            if json.loads(line)["event"] == "BatchDone":
                break
        process.stdout.close()
        said = process.stderr.read()
        process.wait(60)

    assert "Traceback" not in said
    assert "Broken" not in said
    assert process.returncode == 1
    assert torch.load(only_run(tmp_path) / "last.pth", weights_only=True)["step"] >= 1
