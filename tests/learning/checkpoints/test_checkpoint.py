"""A checkpoint is written whole or not at all, and nothing in one is ever executed."""

import os
import pickle
import stat
import subprocess
import sys
import zipfile
from copy import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import archive, checkpoint, safetensor_files
from flowergui.store import atomic_io

OLD, NEW = {"epoch": 1, "w": torch.ones(3)}, {"epoch": 2, "w": torch.arange(4.0)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "läufe"
    folder.mkdir()
    return folder / "last.pth"


def names(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


def test_what_is_written_is_read(path: Path) -> None:
    content = {"n": None, "x": 0.1, "names": ["é"], "deep": {"a": (1, True)}, "w": torch.rand(3)}
    checkpoint.write(content, path)
    again = checkpoint.read(path)
    assert torch.equal(again.pop("w"), content.pop("w"))
    assert again == content
    assert names(path) == {"last.pth"}


def test_averaged_weights_of_frozen_layers_are_written_once(path: Path) -> None:
    """They are the network's own, bit by bit: 0 is not -0, and the shape counts."""
    frozen, odd = torch.rand(100, 1000), torch.tensor([0.0, 1.0, float("nan")])
    model = {"a": frozen, "b": odd, "c": torch.zeros(2), "n": torch.tensor(3)}
    ema = {
        "a": frozen.clone(),
        "b": odd.clone(),
        "c": -torch.zeros(2),
        "n": torch.tensor(3),
        "only": torch.ones(1),
    }
    checkpoint.write({"model": model, "ema": ema}, path)
    assert path.stat().st_size < 1.1 * frozen.nbytes
    again = checkpoint.read(path)
    for part, wanted in (("model", model), ("ema", ema)):
        assert again[part].keys() == wanted.keys()
        for name, tensor in wanted.items():
            assert again[part][name].numpy().tobytes() == tensor.numpy().tobytes()
    assert ema["a"] is not frozen  # what was handed in is as it was


def test_the_one_before_is_kept(path: Path) -> None:
    previous = path.with_name("previous.pth")
    checkpoint.write(OLD, path, keep_as=previous)
    assert names(path) == {"last.pth"}
    checkpoint.write(NEW, path, keep_as=previous)
    assert checkpoint.read(path)["epoch"] == 2
    assert checkpoint.read(previous)["epoch"] == 1
    checkpoint.write(OLD, path)
    assert checkpoint.read(path)["epoch"] == checkpoint.read(previous)["epoch"] == 1


def full_disk(*args: object) -> None:
    """torch.save, when the disk is full in the midst of it."""
    args[1].write(b"half of it")
    raise RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0")


def no_sync(handle: int) -> None:
    raise OSError(28, "No space left on device")


def no_rename(source: object, target: object) -> None:
    """os.replace, when another program holds last.pth open (on Windows)."""
    if Path(target).name == "last.pth" and str(source).endswith(".tmp"):
        raise PermissionError(13, "Access is denied")
    rename(source, target)


rename = os.replace


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    ("where", "failing"),
    [((torch, "save"), full_disk), ((os, "fsync"), no_sync), ((os, "replace"), no_rename)],
)
def test_a_failure_leaves_what_was_there(
    path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, where, failing
) -> None:
    checkpoint.write(OLD, path)
    with monkeypatch.context() as patch:
        patch.setattr(*where, failing)
        with pytest.raises(OSError, match=r"disk may be full|No space|denied"):
            checkpoint.write(NEW, path, keep_as=path.with_name("previous.pth") if keep else None)
    assert names(path) == {"last.pth"}
    assert checkpoint.read(path)["epoch"] == 1


def test_the_reason_is_that_of_the_system(path: Path, small_files) -> None:
    """Not torch's, which does not say it, and without the name of a file, which may be another."""
    with small_files(1_000), pytest.raises(OSError, match="File too large") as failed:
        checkpoint.write({"w": torch.zeros(100_000)}, path)
    assert failed.value.strerror
    assert "last.pth" not in str(failed.value)


def test_a_folder_that_can_not_be_flushed_is_no_failure(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some FUSE and SMB mounts."""
    really = os.fsync

    def no_folders(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        really(handle)

    monkeypatch.setattr(os, "fsync", no_folders)
    checkpoint.write(NEW, path)
    assert checkpoint.read(path)["epoch"] == 2


def test_a_file_that_is_held_for_a_moment_is_waited_for(path: Path, monkeypatch) -> None:
    """As virus scanners do it on Windows."""
    refusals = [PermissionError(13, "Access is denied")] * 2

    def held(source: object, target: object) -> None:
        if refusals:
            raise refusals.pop()
        rename(source, target)

    monkeypatch.setattr(atomic_io, "RETRY_DELAYS_S", (0.0, 0.0))
    monkeypatch.setattr(os, "replace", held)
    checkpoint.write(NEW, path)
    assert (refusals, names(path)) == ([], {"last.pth"})


def test_what_was_damaged_on_its_way_is_noticed(path: Path, monkeypatch) -> None:
    checkpoint.write(OLD, path)
    sync = os.fsync

    def damaging(handle: int) -> None:
        sync(handle)
        os.pwrite(handle, b"\xff" * 8, 200)

    monkeypatch.setattr(os, "fsync", damaging)
    with pytest.raises(OSError, match="damaged"):
        checkpoint.write({"w": torch.zeros(1000)}, path)
    assert names(path) == {"last.pth"}


# --- refused ----------------------------------------------------------------------------------


class Burglar:
    """Would make a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("legacy", [True, False])
def test_nothing_is_executed(path: Path, legacy: bool) -> None:
    trace = path.with_name("trace")
    torch.save({"w": Burglar(trace)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(FlowerError, match=r"last\.pth was rejected"):
        checkpoint.read(path)
    path.write_bytes(pickle.dumps(Burglar(trace)))
    with pytest.raises(FlowerError):
        checkpoint.read(path)
    assert not trace.exists()


def test_a_whole_module_is_refused_and_the_way_out_named(path: Path) -> None:
    torch.save(nn.Linear(2, 2), path)
    with pytest.raises(FlowerError, match="holds more than tensors") as refused:
        checkpoint.read(path)
    assert "state_dict" in refused.value.hint


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"<html>404</html>", b"PK\3\4 no zip", os.urandom(5000)],
    ids=["empty", "zeros", "html", "zip", "noise"],
)
def test_garbage_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(
        FlowerError, match=r"last\.pth (was rejected|is no checkpoint|is a web page)"
    ):
        checkpoint.read(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_torn_file_is_refused(path: Path, share: float) -> None:
    checkpoint.write({"w": torch.rand(5000)}, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FlowerError, match=r"damaged|refused"):
        checkpoint.read(path)


def test_what_is_no_file_or_no_dict(path: Path) -> None:
    with pytest.raises(FlowerError, match="There is no file"):
        checkpoint.read(path)
    with pytest.raises(FlowerError, match="is a folder"):
        checkpoint.read(path.parent)
    torch.save([torch.ones(1)], path)
    with pytest.raises(FlowerError, match="holds no weights"):
        checkpoint.read(path)


# --- whose it is ------------------------------------------------------------------------------


def test_ours_and_later_versions() -> None:
    own = {"format": checkpoint.FORMAT, "recipe": {}, "classes": [], "model": {}}
    own["image_size"] = 32
    assert checkpoint.is_flowergui_checkpoint(own)
    assert not checkpoint.is_flowergui_checkpoint({"format": "of another program"})
    assert not checkpoint.is_flowergui_checkpoint({"conv1.weight": torch.ones(1)})
    with pytest.raises(FlowerError, match=r"later version of Flowergui \(flowergui-2\)"):
        checkpoint.is_flowergui_checkpoint({**own, "format": "flowergui-2"})


def test_weights_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(FlowerError, match=r"x\.pth contains NaN or infinite values \(fc\.bias"):
        checkpoint.extract_state_dict({"fc.bias": torch.tensor([1.0, torch.nan])}, Path("x.pth"))


@pytest.mark.parametrize("key", ["", "state_dict", "model_state_dict", "model", "net"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_bare_weights_in_their_many_wrappings(path: Path, key: str, prefix: str) -> None:
    weights = {f"{prefix}{name}": t for name, t in nn.Linear(2, 3).state_dict().items()}
    torch.save({key: weights, "epoch": 3} if key else weights, path)
    tensors = checkpoint.extract_state_dict(checkpoint.read(path), path)
    assert {name: tuple(t.shape) for name, t in tensors.items()} == {"weight": (3, 2), "bias": (3,)}


def test_of_our_own_the_averaged_weights_are_taken() -> None:
    own = {"format": checkpoint.FORMAT, "recipe": {}, "classes": [], "ema": None}
    own["image_size"] = 32
    own["model"] = {"w": torch.ones(1)}
    assert checkpoint.extract_state_dict(own, Path("x"))["w"] == 1
    assert checkpoint.extract_state_dict({**own, "ema": {"w": torch.zeros(1)}}, Path("x"))["w"] == 0


def test_a_dict_without_tensors_holds_no_weights() -> None:
    with pytest.raises(FlowerError, match=r"x\.pth holds no weights"):
        checkpoint.extract_state_dict({"epoch": 3, "state_dict": {}}, Path("x.pth"))


# --- what would swell ---------------------------------------------------------------------------


def zipped(path: Path, *, method: int, times: int = 1) -> None:
    """A checkpoint whose zeros are packed, or whose members lie over each other."""
    torch.save({"w": torch.zeros(5_000_000)}, path)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        largest = max(archive.infolist(), key=lambda info: info.file_size)
        for number in range(1, times):
            again = copy(largest)
            again.filename = f"archive/data/{number + 100}"
            archive.filelist.append(again)


@pytest.mark.parametrize(
    ("method", "times"),
    [(zipfile.ZIP_DEFLATED, 1), (zipfile.ZIP_BZIP2, 1), (zipfile.ZIP_STORED, 3)],
)
def test_a_bomb_is_refused_before_it_is_read(path: Path, monkeypatch, method: int, times: int):
    zipped(path, method=method, times=times)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(FlowerError, match=r"last\.pth was rejected: its contents expand beyond"):
        checkpoint.read(path)


def test_an_old_file_that_asks_for_too_much_is_refused(path: Path) -> None:
    torch.save({"w": torch.zeros(77_777)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    small, huge = (77_777).to_bytes(4, "little"), (2**31 - 1).to_bytes(4, "little")
    assert content.count(b"J" + small) > 0
    path.write_bytes(content.replace(b"J" + small, b"J" + huge))
    with pytest.raises(FlowerError, match=r"last\.pth is no checkpoint, or it is damaged"):
        checkpoint.read(path)


# --- safetensors --------------------------------------------------------------------------------


def test_safetensors_are_read_with_and_without_what_we_note(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    facts = {"format": "flowergui-1", "recipe": {}, "classes": ["a", "b"], "image_size": 32}
    path.write_bytes(safetensor_files.packed({"w": torch.arange(3.0)}, facts))
    stored = checkpoint.read(path)
    assert stored["classes"] == ["a", "b"]
    assert torch.equal(stored["model"]["w"], torch.arange(3.0))
    path.write_bytes(safetensor_files.packed({"w": torch.arange(3.0)}, {}))
    assert list(checkpoint.read(path)) == ["w"]


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"\xff" * 100, b"\x08" + bytes(7) + b"{}      "]
)
def test_safetensors_that_are_none_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    if content.startswith(b"\x08"):
        assert checkpoint.read(path) == {}  # whole, and empty
        return
    with pytest.raises(
        FlowerError, match=r"w\.safetensors is (no safetensors file, or it is|a web)"
    ):
        checkpoint.read(path)


def test_safetensors_need_their_file_no_more_once_they_are_read(tmp_path: Path) -> None:
    """Tensors that were mapped to a file which is cut end the process (SIGBUS)."""
    path = tmp_path / "w.safetensors"
    path.write_bytes(safetensor_files.packed({"w": torch.ones(500_000)}, {}))
    code = (
        "import os, sys; from pathlib import Path;"
        "from flowergui.learning.checkpoints import checkpoint;"
        "path = Path(sys.argv[1]); read = checkpoint.read(path);"
        "os.truncate(path, 0); print(float(read['w'].sum()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "500000.0\n"), done.stderr


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "there is not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "there is not enough memory"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
@pytest.mark.parametrize("step", [(torch, "load"), (zipfile.ZipFile, "testzip")])
def test_what_can_not_be_read_now_is_not_called_damaged(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    reason: str,
    step: tuple[object, str],
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    torch.save({"w": torch.ones(3)}, path)
    monkeypatch.setattr(*step, refuse)
    with pytest.raises(checkpoint.NotReadableNowError) as refused:
        checkpoint.read(path)
    assert refused.value.message == f"last.pth can't be read: {reason}."


@pytest.mark.parametrize("step", [(archive, "starts_as_archive"), (zipfile, "_EndRecData")])
def test_a_disk_that_does_not_read_on_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[object, str]
) -> None:
    def refuse(*_: Any) -> Any:
        raise OSError(5, "Input/output error")

    torch.save({"w": torch.ones(3)}, path)
    monkeypatch.setattr(*step, refuse)
    with pytest.raises(checkpoint.NotReadableNowError, match="Input/output error"):
        checkpoint.read(path)


@pytest.mark.parametrize("spoil", ["directory", "sparse"])
def test_odd_files_are_refused_in_words(path: Path, spoil: str) -> None:
    if spoil == "directory":
        torch.save({"w": torch.zeros(9)}, path)
        content = bytearray(path.read_bytes())
        where = content.rfind(b"PK\x01\x02")
        content[where + 10] = 99  # a method of packing that does not exist
        path.write_bytes(content)
        with pytest.raises(FlowerError, match=r"last\.pth (is|was)"):
            checkpoint.read(path)
    else:
        torch.save({"w": torch.zeros(9).to_sparse()}, path)
        with pytest.raises(FlowerError, match=r"last\.pth"):
            checkpoint.extract_state_dict(checkpoint.read(path), path)
