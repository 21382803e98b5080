"""What tests of scanned folders share: scanning one, and giving it ready splits."""

from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

from flowergui.events import Scanned, ScanProgress
from flowergui.learning.data.photos import Photos
from flowergui.learning.data.scan import scan

Event = TypeVar("Event")
Result = TypeVar("Result")


def scanned(folder: Path) -> tuple[Photos, list[ScanProgress | Scanned]]:
    """The images of a folder, and the events of its scan."""
    events = []
    generator = scan(folder)
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return end.value, events


def ready_split(flat: Path, name: str, train: str = "train") -> Path:
    """Moves the first two photos of each class to a folder `name`, the others to `train`."""
    for folder in sorted(flat.iterdir()):
        for number, photo in enumerate(sorted(folder.iterdir())):
            to = flat / (name if number < 2 else train) / folder.name
            to.mkdir(parents=True, exist_ok=True)
            photo.rename(to / photo.name)
        folder.rmdir()
    return flat


def end_of(job: Generator[Event, None, Result]) -> tuple[list[Event], Result]:
    """What a generator yields, and what it returns."""
    told: list[Event] = []
    while True:
        try:
            told.append(next(job))
        except StopIteration as end:
            return told, end.value
