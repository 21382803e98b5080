"""A run's photos, held against its folder."""

from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

from flowergui.events import Preparing
from flowergui.learning.data import dataset_diff
from flowergui.learning.data.scan import list_photos
from flowergui.store.run_folder import RunFolder


class Asked(tuple[str, ...]):
    """Class names that count how often they are gone through to find one."""

    times = 0

    def __contains__(self, name: object) -> bool:
        type(self).times += 1
        return super().__contains__(name)


Result = TypeVar("Result")


def end_of(job: Generator[Preparing, None, Result]) -> tuple[list[Preparing], Result]:
    """What it tells, and what it returns."""
    told: list[Preparing] = []
    while True:
        try:
            told.append(next(job))
        except StopIteration as end:
            return told, end.value


def test_the_classes_are_not_gone_through_for_each_photo(folder: Path, tmp_path: Path) -> None:
    _, rows = end_of(list_photos(folder))
    run = RunFolder(tmp_path)
    run.write_split((), rows[1:], folder)
    classes = Asked(sorted({name for _, name, _ in rows}))
    _, known = end_of(dataset_diff.compare_dataset(run, folder, classes))
    assert (len(known.rows), len(known.added)) == (len(rows) - 1, 1)
    assert not known.unknown_classes
    assert not known.missing_classes
    assert Asked.times == 0


def test_many_photos_tell_how_far_it_is(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowergui.learning.data.scan.PROGRESS_FILES", 10)
    monkeypatch.setattr(dataset_diff, "PROGRESS_FILES", 10)
    told, rows = end_of(list_photos(folder))
    assert told == [Preparing("Listing images", 16, 0)]  # after a class
    run = RunFolder(tmp_path)
    run.write_split((), rows, folder)
    told, known = end_of(
        dataset_diff.compare_dataset(run, folder, sorted({name for _, name, _ in rows}))
    )
    assert known.rows == tuple(rows)
    assert told[1:] == [Preparing("Comparing images", done, 24) for done in (10, 20)]
