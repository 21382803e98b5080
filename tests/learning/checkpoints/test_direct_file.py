"""What goes past the system's cache arrives as it is, and is known to have."""

import os
import sys
from pathlib import Path

import pytest

from flowergui.learning.checkpoints import direct_file
from flowergui.learning.checkpoints.direct_file import BLOCK, DirectFile

SIZES = (0, 1, 7, 4096, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 4096, 3 * BLOCK + 5)


def put(path: Path, *parts: bytes) -> DirectFile:
    with DirectFile(path) as file:
        for part in parts:
            assert file.write(part) == len(part)
        file.finish()
    return file


@pytest.mark.parametrize("size", SIZES)
def test_what_is_written_arrives(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    parts = content[: size // 3], content[size // 3 : size // 2], content[size // 2 :]
    file = put(tmp_path / "x", *parts)
    assert (tmp_path / "x").read_bytes() == content
    assert file.is_on_disk()


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_one_bit_is_noticed(tmp_path: Path, size: int, place: float) -> None:
    content = bytearray(os.urandom(size))
    file = put(tmp_path / "x", content)
    content[int(place * (size - 1))] ^= 1
    (tmp_path / "x").write_bytes(content)
    assert not file.is_on_disk()


@pytest.mark.parametrize("more", [-1, 1])
def test_another_length_is_noticed(tmp_path: Path, more: int) -> None:
    file = put(tmp_path / "x", bytes(BLOCK))
    os.truncate(tmp_path / "x", BLOCK + more)
    assert not file.is_on_disk()


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    put(tmp_path / "x", b"mine")
    with pytest.raises(FileExistsError):
        DirectFile(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"mine"


@pytest.mark.skipif(sys.platform != "linux", reason="O_DIRECT is Linux's")
def test_whole_blocks_go_past_the_cache(tmp_path: Path) -> None:
    import fcntl

    with DirectFile(tmp_path / "x") as file:
        direct = [fcntl.fcntl(file.fileno(), fcntl.F_GETFL) & os.O_DIRECT]
        file.write(bytes(BLOCK))
        direct.append(fcntl.fcntl(file.fileno(), fcntl.F_GETFL) & os.O_DIRECT)
        file.write(b"end")
        file.finish()
        direct.append(fcntl.fcntl(file.fileno(), fcntl.F_GETFL) & os.O_DIRECT)
    if not direct[0]:
        pytest.skip("this file system has no way past the cache")
    assert direct == [os.O_DIRECT, os.O_DIRECT, 0]


def test_what_the_system_refuses_past_the_cache_goes_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on file systems that take the wish and then refuse the write; here for memory that is
    not aligned."""
    monkeypatch.setattr(direct_file.mmap, "mmap", lambda *_: memoryview(bytearray(BLOCK + 1))[1:])
    content = os.urandom(2 * BLOCK + 5)
    file = put(tmp_path / "x", content)
    assert (tmp_path / "x").read_bytes() == content
    assert file.is_on_disk()


def test_a_write_that_was_cut_short_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a signal or a full disk leaves is no multiple of a sector."""
    really = direct_file._either_way
    monkeypatch.setattr(
        direct_file, "_either_way", lambda file, act, block: really(file, act, block[:300_001])
    )
    content = os.urandom(2 * BLOCK + 5)
    file = put(tmp_path / "x", content)
    assert (tmp_path / "x").read_bytes() == content
    assert file.is_on_disk()


def test_a_full_disk_is_told(tmp_path: Path, small_files) -> None:
    with DirectFile(tmp_path / "x") as file, small_files(BLOCK + 100):
        file.write(bytes(BLOCK))
        with pytest.raises(OSError, match="too large"):
            file.write(bytes(BLOCK))
