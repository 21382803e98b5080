"""A drive that doesn't answer keeps nothing from going on or from ending."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scanning import end_of, scanned

from flowergui.errors import FlowerError
from flowergui.events import Preparing, Scanned, ScanProgress
from flowergui.learning.data import class_folders, image_io, photo_check, stalls
from flowergui.learning.data.dataset import ImageDataset, eval_transform
from flowergui.learning.data.loader import iterate_batches
from flowergui.learning.data.photos import Photo
from flowergui.learning.data.scan import list_photos, scan

Stall = Callable[[str], None]


@pytest.fixture
def stall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stall]:
    """Reads and listings of a name wait until the test is over."""
    over = threading.Event()
    monkeypatch.setattr(stalls, "STALL_S", 0.02)
    monkeypatch.setattr(stalls, "MAX_WAIT_S", 0.1)
    monkeypatch.setattr(stalls, "JOIN_S", 0.02)
    read, listing = image_io.read, class_folders.list_folder

    def stalls_at(name: str) -> None:
        def stalled_read(path: Path, *, at_least: int = 0) -> object:
            if path.name == name:
                over.wait()
            return read(path, at_least=at_least)

        def stalled_listing(path: str) -> object:
            if Path(path).name == name:
                over.wait()
            return listing(path)

        monkeypatch.setattr(image_io, "read", stalled_read)
        monkeypatch.setattr(class_folders, "list_folder", stalled_listing)

    yield stalls_at
    over.set()


def test_a_scan_says_which_file_it_waits_for_and_leaves_it_out(flat: Path, stall: Stall) -> None:
    stall("iris_3.jpg")
    found, events = scanned(flat)
    waited = {each.waits_for for each in events if isinstance(each, ScanProgress)}
    assert waited == {"", str(flat / "iris" / "iris_3.jpg")}
    assert isinstance(events[-1], Scanned)
    assert len(found.train) == 14
    (problem,) = found.problems
    assert (problem.path, problem.reason) == (
        "iris/iris_3.jpg",
        "its drive did not answer for 0.1 s",
    )


def test_a_scan_ends_where_nothing_answers(
    flat: Path, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_check, "_THREADS", 1)
    stall("daisy_0.jpg")
    with pytest.raises(FlowerError, match=r"daisy_0\.jpg can't be read: its drive did not answer"):
        scanned(flat)


def test_a_scan_can_be_cancelled_while_it_waits(flat: Path, stall: Stall) -> None:
    stall("iris_3.jpg")
    scanning = scan(flat)
    while not next(scanning).waits_for:
        pass
    scanning.close()


def test_a_listing_says_which_folder_it_waits_for(flat: Path, stall: Stall) -> None:
    stall("iris")
    told = []
    with pytest.raises(FlowerError, match=r"iris can't be read: its drive did not answer"):
        told += end_of(list_photos(flat))[0]
    listing = list_photos(flat)
    assert next(listing) == Preparing(f"Waiting for {flat / 'iris'}", 0, 0)
    listing.close()


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_go_on_without_a_photo_that_does_not_come(
    flat: Path, stall: Stall, workers: int
) -> None:
    paths = sorted(path.relative_to(flat).as_posix() for path in flat.rglob("*.jpg"))
    dataset = ImageDataset(flat, [Photo(path, 0) for path in paths], eval_transform(16), 0)
    stall("daisy_1.jpg")
    batches = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11)]
    loaded = list(iterate_batches(dataset, batches, lambda pixels, _: pixels, workers))
    assert [batch.indices for batch in loaded] == [(0,), *batches[1:]]
    (failed,) = loaded[0].failed
    assert failed.path == "daisy/daisy_1.jpg"
    assert failed.reason == "daisy_1.jpg can't be read: its drive did not answer for 0.1 s."


def test_errors_of_a_job_are_its_own(tmp_path: Path) -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise TimeoutError("of the job")

    steps = stalls.in_background(failing(), lambda: "")
    assert next(steps) == 1
    with pytest.raises(TimeoutError, match="of the job"):
        next(steps)


STUCK = """
import os, sys
from pathlib import Path
from flowergui.learning.data import image_io, stalls
from flowergui.learning.data.scan import scan
stalls.STALL_S, stalls.MAX_WAIT_S, stalls.JOIN_S = 0.05, 0.2, 0.05
read = image_io.read
def stuck(path, *, at_least):
    return os.open(sys.argv[2], os.O_RDONLY) if path.name == "iris_3.jpg" else read(path)
image_io.read = stuck
print([each.path for each in list(scan(Path(sys.argv[1])))[-1].problems])
"""


def test_a_program_ends_with_a_thread_in_a_system_call(flat: Path, tmp_path: Path) -> None:
    """A pipe that nobody writes into stands for a network drive: opening it never returns."""
    os.mkfifo(tmp_path / "drive")
    child = [sys.executable, "-c", STUCK, str(flat), str(tmp_path / "drive")]
    ended = subprocess.run(child, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "['iris/iris_3.jpg']\n"
