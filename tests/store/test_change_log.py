"""The changes of a run are kept beside its history."""

from pathlib import Path

import pytest

from flowergui.events import FrozenChanged, LearningRateChanged, RolledBack, TrainingSizeChanged
from flowergui.store.change_log import ChangeLog

CHANGES = (
    LearningRateChanged(2, 0.01),
    FrozenChanged(2, ("stem.0.weight", "stem.1.weight"), 9, 12),
    TrainingSizeChanged(3, 64),
    RolledBack(2, 1, 4, 0.005, "The loss became nan."),
)


@pytest.fixture
def log(tmp_path: Path) -> ChangeLog:
    log = ChangeLog(tmp_path / "changes.jsonl")
    log.append(CHANGES[:2])
    log.append(CHANGES[2:])
    return log


def test_what_is_kept_is_read(log: ChangeLog) -> None:
    assert tuple(log.events()) == CHANGES


def test_without_changes_there_is_no_file(tmp_path: Path) -> None:
    log = ChangeLog(tmp_path / "changes.jsonl")
    log.append([])
    log.cut_back(3)
    assert not log.path.exists()
    assert list(log.events()) == []


def test_later_changes_are_dropped(log: ChangeLog) -> None:
    log.cut_back(2)
    assert tuple(log.events()) == CHANGES[:2]


def test_damaged_lines_and_unknown_events_are_skipped(log: ChangeLog) -> None:
    lines = log.path.read_text().splitlines()
    more = ['{"event": "Later", "step": 1}', "[1]", "half a l", '{"event": "RolledBack"}']
    more += ['{"event": "LearningRateChanged", "step": "x", "learning_rate": 1}']
    unknown_field = lines[0].replace("}", ', "later": 1}')
    log.path.write_text("\n".join([unknown_field, *more, *lines[1:], '{"event": "Tr']))
    assert tuple(log.events()) == CHANGES


def test_a_change_that_was_made_once_more_counts_once(log: ChangeLog) -> None:
    """A run that was stopped at the beginning of an epoch resizes its images again."""
    log.append([CHANGES[3]])
    assert tuple(log.events()) == CHANGES
