"""Small files of a run are read whatever has become of them, or refused in one sentence."""

import os
from pathlib import Path

import pytest

from flowergui.errors import FlowerError
from flowergui.store import reading


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_may_have_a_byte_order_mark(tmp_path: Path, code: str) -> None:
    path = tmp_path / "x"
    path.write_bytes('{"a": "é"}\r\n'.encode(code))
    assert reading.read_json(path) == {"a": "é"}
    with reading.open_text(path) as file:
        assert list(reading.lines(file)) == ['{"a": "é"}\r\n']


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is damaged in line 1"),
        (b"{\n'a': 1}", "it is damaged in line 2"),
        (b"[" * 200_000, "it is too large or too deep"),
        (b"9" * 5_000, "it is damaged"),
        (b'{"a": "\xe9"}', "it is not UTF-8 text"),
        (b'{"a": 1}\0\0', "it is damaged in line 1"),
    ],
)
def test_json_that_is_none_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(FlowerError, match=rf"x\.json can't be read: {reason}\."):
        reading.read_json(path)


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(FlowerError, match=f"{name} can't be read: it is not a file"):
            reading.read_json(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        reading.read_json(tmp_path / "none")


def test_a_file_of_a_terabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(FlowerError, match="it is too large"):
        reading.read_json(path)
    with pytest.raises(OSError, match="it is too large"):
        reading.open_text(path)


def test_a_line_that_never_ends_comes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("a" * (reading.MAX_LINE_LENGTH + 1))
    with reading.open_text(path) as file:
        assert [len(line) for line in reading.lines(file)] == [reading.MAX_LINE_LENGTH, 1]
