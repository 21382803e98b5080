"""Whatever ends a process, its report is there at the next start, once."""

import subprocess
import sys
from pathlib import Path

import pytest

from flowergui.system.crash_report import MAX_SEEN, SEEN, delete_report, take_reports

BEGIN = """
import logging, os, sys, threading
from pathlib import Path
from flowergui.system.crash_report import CrashReport
report = CrashReport(Path(sys.argv[1]))
"""


def run(folder: Path, then: str) -> subprocess.CompletedProcess[str]:
    code = BEGIN + then
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60
    )


def test_a_process_that_ends_well_leaves_nothing(tmp_path):
    assert run(tmp_path, "report.close()").returncode == 0
    assert run(tmp_path, "").returncode == 0  # without being closed
    assert not list(tmp_path.iterdir())
    assert take_reports(tmp_path) == []


def test_a_crash_is_reported_once(tmp_path):
    assert run(tmp_path, "os.abort()").returncode < 0
    (report,) = take_reports(tmp_path)
    assert report.crashed
    assert report.text.startswith("Flowergui ")
    assert "Fatal Python error: Aborted" in report.text
    assert "<string>" in report.text  # where it was
    assert take_reports(tmp_path) == []
    assert Path(report.path).is_file()  # until it is deleted
    delete_report(report.path)
    delete_report(report.path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()", "ZeroDivisionError"),
        ("logging.getLogger('x').error('A defect.', exc_info=ValueError('y'))", "A defect."),
    ],
)
def test_errors_on_the_way_are_reported(tmp_path, then, told):
    done = run(tmp_path, then)
    (report,) = take_reports(tmp_path)
    assert told in report.text
    assert not report.crashed
    if told == "ZeroDivisionError":
        assert told in done.stderr  # the console shows it too


def test_the_user_who_ends_it_has_no_crash(tmp_path):
    done = run(tmp_path, "raise KeyboardInterrupt")
    assert "KeyboardInterrupt" in done.stderr
    assert take_reports(tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_a_killed_process_leaves_nothing_to_report(tmp_path):
    run(tmp_path, "os.kill(os.getpid(), 9)")
    assert len(list(tmp_path.iterdir())) == 1
    assert take_reports(tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_the_report_of_a_process_that_runs_is_left_alone(tmp_path):
    then = """
logging.getLogger('x').error('A defect.')
print('ready', flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + then, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert take_reports(tmp_path) == []
    process.communicate("")
    assert len(take_reports(tmp_path)) == 1


def test_an_error_without_end_fills_no_disk(tmp_path):
    run(tmp_path, "for _ in range(5_000): logging.getLogger('x').error('x' * 1_000)")
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size < 250_000


def test_a_folder_that_cannot_be_written_is_no_problem(tmp_path):
    (tmp_path / "file").touch()
    assert run(tmp_path / "file", "print('goes on')").stdout == "goes on\n"
    assert take_reports(tmp_path / "file") == []
    assert take_reports(tmp_path / "nowhere") == []


def test_old_reports_go(tmp_path):
    for number in range(MAX_SEEN + 3):
        (tmp_path / f"{SEEN}2026-01-{number:02}.txt").touch()
    (tmp_path / "mine.txt").touch()
    assert take_reports(tmp_path) == []
    left = {each.name for each in tmp_path.iterdir()}
    assert len(left) == MAX_SEEN + 1
    assert f"{SEEN}2026-01-00.txt" not in left


def test_any_content_is_read(tmp_path):
    (tmp_path / "running-2026.txt").write_bytes(b"\n\n" + bytes(range(256)) * 9)
    assert len(take_reports(tmp_path)) == 1
