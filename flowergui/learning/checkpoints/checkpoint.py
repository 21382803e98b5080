"""The format of checkpoints: writing them whole, reading them without running code."""

import io
import os
import pickle
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import safetensor_files
from flowergui.store.atomic_io import replace_with_retry, temp_path
from flowergui.store.run_folder import RunFolder
from flowergui.text import tr

if TYPE_CHECKING:
    from typing_extensions import Buffer

FORMAT = "flowergui-1"
"""The value of the key `format` in checkpoints of this version's format."""

BLOCK_BYTES = 1 << 20
"""Bytes that are read at a time."""


def write(content: Mapping[str, Any], path: Path, *, keep_as: Path | None = None) -> None:
    """Writes `content` (builtins and tensors) to `path` as torch.save does, whole or not at all;
    see `atomic_write`. Raises OSError for all that can go wrong: torch reports a full disk as a
    RuntimeError."""

    def fill(file: BinaryIO) -> None:
        try:
            torch.save(dict(content), file)
        except RuntimeError as error:
            raise OSError(
                tr("writing {file} failed, the disk may be full", file=path.name)
            ) from error

    atomic_write(path, fill, keep_as=keep_as)


def atomic_write(
    path: Path, fill: Callable[[BinaryIO], object], *, keep_as: Path | None = None
) -> None:
    """Replaces the file at `path`, wholly or not at all.

    `fill` writes a temporary file beside it, which is flushed to the disk and read back before it
    replaces the file at `path`. If `keep_as` is given, that file is kept under this name. Raises
    OSError, and what `fill` raises.
    """
    temporary = temp_path(path)
    try:
        with ChecksumWriter(temporary.open("xb", buffering=0)) as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
            _drop_from_cache(file)  # else it would be read back from memory
        if file.checksum != _checksum(temporary):
            raise OSError(tr("{file} was damaged while it was written", file=path.name))
        if keep_as is not None and os.path.exists(path):
            replace_with_retry(path, keep_as)
            try:
                replace_with_retry(temporary, path)
            except OSError:
                replace_with_retry(keep_as, path)
                raise
        else:
            replace_with_retry(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


class ChecksumWriter(io.BufferedWriter):
    """A file with the CRC-32 of all that was written."""

    checksum = 0

    def write(self, data: "Buffer", /) -> int:
        """Writes all of `data`."""
        self.checksum = zlib.crc32(data, self.checksum)
        return super().write(data)


def _checksum(path: Path) -> int:
    """The CRC-32 of a file, which is not kept in the page cache: nobody reads it soon."""
    checksum, block = 0, memoryview(bytearray(BLOCK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            checksum = zlib.crc32(block[:count], checksum)
        _drop_from_cache(file)
    return checksum


def _drop_from_cache(file: BinaryIO | io.RawIOBase) -> None:
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows can't open folders, and writes their entries through
        return
    # Some FUSE and SMB mounts can't flush folders (EINVAL). The file is in place all the same.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(path: Path) -> dict[str, Any]:
    """The dict in a .pth or .safetensors file, with tensors on the CPU. Nothing in the file is ever
    executed. Raises FlowerError that names the file."""
    if os.path.isdir(path):
        raise FlowerError(tr("{file} is a folder, not a checkpoint.", file=path.name))
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FlowerError(tr("There is no file {path}.", path=path)) from None
    except OSError as error:
        reason = error.strerror or error
        message = tr("{file} can't be opened: {reason}.", file=path.name, reason=reason)
        raise FlowerError(message) from error
    with file:
        if path.suffix.lower() == safetensor_files.SUFFIX:
            return safetensor_files.read(path)
        _reject_zip_bombs(file, path)
        try:
            stored = torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise FlowerError(
                tr(
                    "{file} was rejected: it holds more than tensors and plain values, or is no "
                    "checkpoint at all.",
                    file=path.name,
                ),
                hint=tr(
                    "Save the state_dict of the network instead: {code}.",
                    code="torch.save(net.state_dict(), path)",
                ),
            ) from error
        except Exception as error:  # damaged files fail in many ways
            raise _damaged(path) from error
    if not isinstance(stored, Mapping):
        raise _no_weights(path)
    return dict(stored)


def _reject_zip_bombs(file: BinaryIO, path: Path) -> None:
    """Raises FlowerError for an archive with compressed or overlapping members, before anything is
    read: a few kilobytes could become gigabytes. torch writes no such archives."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:  # torch's older format, or no checkpoint at all
        members = []
    except Exception as error:  # a damaged directory
        raise _damaged(path) from error
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > size:
        raise FlowerError(
            tr(
                "{file} was rejected: its contents expand beyond the file's size (possible zip "
                "bomb).",
                file=path.name,
            ),
            hint=tr("Ask for a file that torch.save wrote."),
        )
    file.seek(0)


def _damaged(path: Path) -> FlowerError:
    return FlowerError(tr("{file} is no checkpoint, or it is damaged.", file=path.name))


def _no_weights(path: Path) -> FlowerError:
    return FlowerError(tr("{file} holds no weights.", file=path.name))


def newest(run: RunFolder) -> tuple[dict[str, Any], Path]:
    """The content and the path of a run's last.pth, or of previous.pth if that is missing or
    damaged. Raises FlowerError if neither can be read."""
    if not os.path.exists(run.last) and not os.path.exists(run.previous):
        raise FlowerError(
            tr("There is nothing to resume in {folder}.", folder=run.path.name),
            hint=tr("It has no last.pth."),
        )
    try:
        return read(run.last), run.last
    except FlowerError:
        if not os.path.exists(run.previous):
            raise
        return read(run.previous), run.previous


def is_flowergui_checkpoint(stored: Mapping[str, Any]) -> bool:
    """Whether a dict that was read is a checkpoint or an export of this program. Raises FlowerError
    for one of a later version."""
    name = stored.get("format")
    if isinstance(name, str) and name.startswith("flowergui-") and name != FORMAT:
        raise FlowerError(
            tr("This checkpoint is of a later version of flowergui ({format}).", format=name),
            hint=tr("Update flowergui."),
        )
    kinds = {"recipe": Mapping, "classes": list, "model": Mapping, "image_size": int}
    return name == FORMAT and all(isinstance(stored.get(key), kinds[key]) for key in kinds)


def is_resumable(stored: Mapping[str, Any]) -> bool:
    """Whether a run can be resumed from a dict that was read. Exports hold weights alone."""
    needed = {"optimizer": Mapping, "progress": Mapping}
    return is_flowergui_checkpoint(stored) and all(
        isinstance(stored.get(key), kind) for key, kind in needed.items()
    )


def extract_state_dict(stored: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """The weights in a dict that was read: of a checkpoint (the averaged ones if there are any) or
    of a bare state dict, which may be under a key ("state_dict", "model", ...) and have the prefix
    that DataParallel adds. Raises FlowerError if there are none, or if one is NaN or infinite."""
    inner: Any = stored
    if is_flowergui_checkpoint(stored):
        inner = stored.get("ema") or stored["model"]
    else:
        for key in ("state_dict", "model_state_dict", "model", "net"):
            if isinstance(stored.get(key), Mapping):
                inner = stored[key]
                break
    tensors = {
        str(name).removeprefix("module."): tensor
        for name, tensor in inner.items()
        if isinstance(tensor, Tensor)
    }
    if not tensors:
        raise _no_weights(path)
    for name, tensor in tensors.items():
        try:
            finite = bool(torch.isfinite(tensor).all())
        except (RuntimeError, NotImplementedError) as error:  # sparse ones, 8-bit ones
            raise FlowerError(
                tr(
                    "{file} has a tensor whose data type can't be used here ({name}).",
                    file=path.name,
                    name=name,
                ),
                hint=tr("Save its weights as float32."),
            ) from error
        if not finite:
            raise FlowerError(
                tr("{file} contains NaN or infinite values ({name}).", file=path.name, name=name),
                hint=tr("Choose a file that was saved before its training went wrong."),
            )
    return tensors
