"""How events look on a terminal."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import BATCH, EPOCH

from flowergui.cli import report
from flowergui.cli.console import Console, json_line
from flowergui.events import (
    DownloadProgress,
    EpochDone,
    Finished,
    PredictionFailed,
    Saved,
    SaveFailed,
    Scanned,
    ScanProgress,
    Stopped,
    ValidationProgress,
)
from flowergui.facts import ClassCount, Problem
from flowergui.store.run_folder import RunFolder


def test_numbers_that_json_lacks_are_null() -> None:
    printed_events = json_line(SaveFailed("last.pth", "full"))
    assert json.loads(printed_events) == {
        "event": "SaveFailed",
        "path": "last.pth",
        "reason": "full",
    }
    lost = EpochDone(1, 1, 1, float("inf"), 0.5, float("nan"), 0.5, 0.5, 1, 0.1, 1.0)

    printed_events = json_line(lost)

    assert "NaN" not in printed_events
    assert "Infinity" not in printed_events
    assert json.loads(printed_events)["val_loss"] is None


def test_a_terminal_shows_a_bar_and_keeps_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=True)

    for event in (DownloadProgress("net.pth", 1, 0), BATCH, ValidationProgress(1, 1, 1), EPOCH):
        console.report(event)
    console.close()

    printed = capsys.readouterr()
    assert "Downloading net.pth" in printed.err
    assert "Epoch 1:" in printed.err
    assert "Validating epoch 1" in printed.err
    assert printed.out == (
        "epoch 1/2, loss 0.700, accuracy 50.0%, validation loss 0.600, "
        "validation accuracy 62.5%, the best so far, 1.5 s\n"
    )


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)

    console.report(BATCH)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("as_json", [True, False])
def test_what_fails_to_the_end_sets_the_exit_code(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(as_json=as_json, terminal=False)

    console.report(SaveFailed("run/last.pth", "the disk is full"))
    assert console.code == 1
    console.report(Saved("run/last.pth", 1, 2))
    assert console.code == 0
    console.report(PredictionFailed("a.jpg", "a.jpg can't be read: it is empty."))
    assert console.code == 1

    said = capsys.readouterr().err
    assert "run/last.pth could not be saved: the disk is full." in said
    assert "a.jpg can't be read: it is empty." in said


@pytest.mark.parametrize("as_json", [False, True])
def test_a_disk_that_stays_full_is_reported_once(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    full = "No space left on device"
    last, best = SaveFailed("run/last.pth", full), SaveFailed("run/best.pth", full)
    console = Console(as_json=as_json, terminal=False)

    for event in (last, best, last, best, last, replace(last, reason="Permission denied")):
        console.report(event)
    for event in (Saved("run/last.pth", 1, 2), last):
        console.report(event)

    assert capsys.readouterr().err.splitlines() == [
        "run/last.pth could not be saved: No space left on device.",
        "run/best.pth could not be saved: No space left on device.",
        "run/last.pth could not be saved: Permission denied.",
        "run/last.pth could not be saved: No space left on device.",
    ]


def test_a_history_that_is_written_later_is_no_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is written before a checkpoint; if it can't be, that comes after it."""
    run = RunFolder(Path("run"))
    saved, failed = Saved(str(run.last), 1, 2), SaveFailed(str(run.history.path), "it is locked")
    console = Console(as_json=False, terminal=False)
    for event in (saved, failed, saved, failed):
        console.report(event)
        assert console.code == (1 if event is failed else 0)
    console.report(Stopped("run", 3, 1))
    printed = capsys.readouterr()
    assert printed.err == f"{run.history.path} could not be saved: it is locked.\n"
    assert "To resume it" in printed.out
    console.report(saved)
    assert console.code == 0


def test_a_stop_that_could_not_save_promises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)

    console.report(SaveFailed(str(Path("run") / "last.pth"), "the disk is full"))
    console.report(Stopped("run", 3, 1))

    assert "To resume it" not in capsys.readouterr().out


def test_a_finish_that_could_not_save_promises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)

    console.report(SaveFailed(str(Path("run") / "best.pth"), "the disk is full"))
    console.report(Finished("run", 3, 0.5, 1, 10.0))

    said = capsys.readouterr().out
    assert "could not be saved" in said
    assert "Next:" not in said
    assert console.code == 1


def test_a_run_without_a_validation_set_has_no_best_accuracy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(as_json=False, terminal=False)
    console.report(replace(EPOCH, val_loss=None, val_accuracy=None, best_accuracy=0.0))
    console.report(Finished("run", 2, 0.0, 2, 10.0, validated=False))
    first, *said = capsys.readouterr().out.splitlines()
    assert first == "epoch 1/2, loss 0.700, accuracy 50.0%, 1.5 s"
    assert said[0] == "2 epochs done in 10.0 s."
    assert not any("validation" in line or "0.0%" in line for line in said)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_scan_that_waits_says_once_for_what(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    console = Console(as_json=as_json, terminal=False)
    for waits_for in ("", "/nas/rose/1.jpg", "/nas/rose/1.jpg", "", "/nas/rose/2.jpg"):
        console.report(ScanProgress(0, 9, waits_for))
    assert capsys.readouterr().err.splitlines() == [
        "Waiting for /nas/rose/1.jpg: its drive does not answer.",
        "Waiting for /nas/rose/2.jpg: its drive does not answer.",
    ]


def test_a_scan_names_what_it_passed_over() -> None:
    classes = (ClassCount("rose", 3, 0, ()),)
    odd = (Problem("rose/a\nb.cr2", "no image", 2), Problem("lily", "closed"))
    scanned = Scanned(
        "/f", "flat", classes, odd, notes=("A note.",), leftovers=(Problem("a.txt", "text", 1_001),)
    )
    assert report.scan_summary(scanned)[1:] == ["A note."]
    assert report.scan_table(scanned)[-3:] == [
        "A note.",
        "Ignored, since they are not images:",
        "  a.txt and 1,000 more: text",
    ]
    assert report.problems(odd) == [
        "3 problems:",
        "  rose/a\\nb.cr2 and 1 more: no image",
        "  lily: closed",
    ]
