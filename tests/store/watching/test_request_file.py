"""What a run is asked by a file in its folder."""

import json
import os
from pathlib import Path

import pytest

from flowergui.errors import FlowerError
from flowergui.requests import RunRequest
from flowergui.store.watching.request_file import LOOK_INTERVAL_S, RequestFile, RequestPoller

STOP, SAVE = RunRequest(stop=True), RunRequest(save=True)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now

    def tick(self) -> None:
        self.now += LOOK_INTERVAL_S


@pytest.fixture
def file(tmp_path: Path) -> RequestFile:
    return RequestFile(tmp_path / "request.json")


def test_a_request_is_taken_once_and_its_file_goes(file: RequestFile) -> None:
    clock = Clock()
    poller = RequestPoller(file, clock)
    assert poller.take() is None
    file.ask(STOP)
    assert json.loads(file.path.read_text()) == {"stop": True}
    clock.tick()
    assert poller.take() == STOP
    assert not file.path.exists()
    clock.tick()
    assert poller.take() is None


def test_the_disk_is_looked_at_only_every_few_seconds(
    file: RequestFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    real = os.stat

    def stat(path: Path) -> os.stat_result:
        looks.append(path)
        return real(path)

    clock = Clock()
    poller = RequestPoller(file, clock)
    monkeypatch.setattr(os, "stat", stat)
    for _ in range(1000):
        assert poller.take() is None
    assert looks == [file.path]


def test_what_is_asked_adds_up(file: RequestFile) -> None:
    file.ask(SAVE)
    file.ask(STOP)
    assert file.read() == RunRequest(stop=True, save=True)
    file.ask(SAVE)
    assert file.read() == RunRequest(stop=True, save=True)


@pytest.mark.parametrize("half", ["", '{"st', '{"stop": tr', "[1]", "null", "\xff\x00"])
def test_a_file_that_is_half_written_is_read_later(file: RequestFile, half: str) -> None:
    clock = Clock()
    poller = RequestPoller(file, clock)
    file.path.write_bytes(half.encode("latin-1"))
    assert poller.take() is None
    assert file.path.exists()
    file.path.write_text('{"stop": true}')
    clock.tick()
    assert poller.take() == STOP


def test_a_request_that_cannot_be_removed_is_obeyed_once(
    file: RequestFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    poller = RequestPoller(file, clock)
    file.ask(SAVE)
    monkeypatch.setattr(file, "remove", lambda: None)
    assert poller.take() == SAVE
    clock.tick()
    assert poller.take() is None


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match=r"request\.json can't be written"):
        RequestFile(tmp_path / "gone" / "request.json").ask(STOP)
