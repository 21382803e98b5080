"""The format of checkpoints: writing them whole, reading them without running code."""

import errno
import io
import os
import pickle
import stat
import zlib
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import (
    archive,
    checkpoint_schema,
    foreign_files,
    safetensor_files,
    wrapped_weights,
)
from flowergui.learning.device import hardware
from flowergui.store.atomic_io import replace_with_retry, sync_folder, temp_path
from flowergui.store.run_folder import RunFolder
from flowergui.text import tr

if TYPE_CHECKING:
    from typing_extensions import Buffer

FORMAT = "flowergui-1"
"""The value of the key `format` in checkpoints of this version's format."""

BLOCK_BYTES = 1 << 20
"""Bytes that are read at a time."""

_ERRNO_OF_DAMAGE: Final = (None, errno.EINVAL)
"""What reading a damaged file raises too: a part of it may be said to lie before its beginning."""


def write(content: Mapping[str, Any], path: Path, *, keep_as: Path | None = None) -> None:
    """Writes `content` (builtins and tensors) to `path` as torch.save does, whole or not at all;
    see `atomic_write`. Averaged weights of frozen layers, which are those of the network, are
    written once. Raises OSError for all that can go wrong: torch reports a full disk as a
    RuntimeError."""

    def fill(file: BinaryIO) -> None:
        try:
            torch.save(_with_shared_weights(content), file)
        except RuntimeError as error:
            if isinstance(file, ChecksumWriter) and file.error is not None:
                raise file.error from error
            raise OSError(tr("it could not be written, the disk may be full")) from error

    atomic_write(path, fill, keep_as=keep_as)


def _with_shared_weights(content: Mapping[str, Any]) -> dict[str, Any]:
    """`content` with one tensor for a weight and its average where they are equal bit by bit."""
    whole, weights, averaged = dict(content), content.get("model"), content.get("ema")
    if isinstance(weights, Mapping) and isinstance(averaged, Mapping):
        shared: Any = copy(averaged)  # with the versions in a state_dict's _metadata
        shared.update(
            (name, weights[name])
            for name, tensor in averaged.items()
            if name in weights and _has_same_bits(weights[name], tensor)
        )
        whole["ema"] = shared
    return whole


def _has_same_bits(one: Tensor, other: Tensor) -> bool:
    if one.dtype == other.dtype == torch.float32:  # where 0 equals -0, and NaN no NaN
        one, other = one.view(torch.int32), other.view(torch.int32)
    return one.dtype == other.dtype and one.device == other.device and torch.equal(one, other)


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
            raise OSError(tr("it was damaged while it was written"))
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
    sync_folder(path.parent)


class ChecksumWriter(io.BufferedWriter):
    """A file with the CRC-32 of all that was written, and the first error of a write: torch raises
    another one for it."""

    checksum = 0
    error: OSError | None = None

    def write(self, data: "Buffer", /) -> int:
        """Writes all of `data`. Raises OSError."""
        self.checksum = zlib.crc32(data, self.checksum)
        try:
            return super().write(data)
        except OSError as error:
            self.error = self.error or error
            raise


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


def read(path: Path) -> dict[str, Any]:
    """The dict in a .pth or .safetensors file, with tensors on the CPU. That of a checkpoint of
    this program is what `checkpoint_schema` says. Nothing in the file is ever executed. Raises
    FlowerError that names the file."""
    stored = _read(path)
    if not isinstance(stored, Mapping):
        raise _no_weights(path)
    if not is_flowergui_checkpoint(stored):
        return dict(stored)
    return checkpoint_schema.checked(stored, path)


class NotReadableNowError(FlowerError):
    """The system could not read a file, or had too little memory for it: the file may be whole."""


def _read(path: Path) -> Any:
    try:
        with _opened(path) as file:
            return _loaded(file, path)
    except OSError as error:
        raise _not_readable_now(path, error.strerror or str(error)) from error
    except FlowerError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno not in _ERRNO_OF_DAMAGE:
            raise _not_readable_now(path, cause.strerror or str(cause)) from error
        if cause is not None and hardware.out_of_memory(cause):
            raise _not_readable_now(path, tr("there is not enough memory")) from error
        raise


def _not_readable_now(path: Path, reason: str) -> NotReadableNowError:
    return NotReadableNowError(tr("{path} can't be read: {reason}.", path=path.name, reason=reason))


def _loaded(file: BinaryIO, path: Path) -> Any:
    if archive.starts_as_archive(file):
        archive.check(file, path)
    elif safetensor_files.is_one(file):
        return safetensor_files.read(path)
    else:
        foreign_files.refuse(file, path)
        if path.suffix.lower() == safetensor_files.SUFFIX:
            raise safetensor_files.damaged(path)
        archive.check(file, path)  # a zip archive may begin after other bytes
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
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
        raise archive.damaged(path) from error


def _opened(path: Path) -> BinaryIO:
    """Opens a file. Raises FlowerError if there is none, and OSError."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise FlowerError(tr("{file} is a folder, not a checkpoint.", file=path.name))
        if not stat.S_ISREG(kind):  # to open a pipe may never end
            raise FlowerError(tr("{file} is not a file.", file=path.name))
        return path.open("rb")
    except FileNotFoundError:
        raise FlowerError(tr("There is no file {path}.", path=path)) from None
    except ValueError:
        raise FlowerError(tr("{path} is no name of a file.", path=ascii(str(path)))) from None


def _no_weights(path: Path) -> FlowerError:
    return FlowerError(tr("{file} holds no weights.", file=path.name))


Check = Callable[[Mapping[str, Any], Path], None]
"""Raises FlowerError for the content of a file that is not what is needed."""


def newest(run: RunFolder, check: Check | None = None) -> tuple[dict[str, Any], Path]:
    """The content and the path of a run's last.pth, or of previous.pth if that is missing or
    damaged, or if it doesn't pass `check`. Raises FlowerError if neither can be used, and
    NotReadableNowError if last.pth may be whole: it must not be taken for lost."""
    if not os.path.exists(run.last) and not os.path.exists(run.previous):
        raise FlowerError(
            tr("There is nothing to resume in {folder}.", folder=run.path.name),
            hint=tr("It has no last.pth."),
        )
    try:
        return _read_checked(run.last, check), run.last
    except FlowerError as error:
        if not os.path.exists(run.previous):
            raise
        if isinstance(error, NotReadableNowError):
            hint = tr(
                "Try again. If it stays so, rename last.pth: the run then continues from "
                "previous.pth."
            )
            raise NotReadableNowError(error.message, hint=hint) from error
        try:
            return _read_checked(run.previous, check), run.previous
        except FlowerError as other:
            is_other = isinstance(other, NotReadableNowError) or not os.path.exists(run.last)
            raise (other if is_other else error) from None


def _read_checked(path: Path, check: Check | None) -> dict[str, Any]:
    stored = read(path)
    if check is not None:
        check(stored, path)
    return stored


def is_flowergui_checkpoint(stored: Mapping[str, Any]) -> bool:
    """Whether a dict that was read is a checkpoint or an export of this program. Raises FlowerError
    for one of a later version."""
    name = stored.get("format")
    if isinstance(name, str) and name.startswith("flowergui-") and name != FORMAT:
        raise FlowerError(
            tr("This checkpoint is of a later version of Flowergui ({format}).", format=name),
            hint=tr("Update Flowergui."),
        )
    return isinstance(name, str) and name == FORMAT


def is_resumable(stored: Mapping[str, Any]) -> bool:
    """Whether a run can be resumed from a dict that was read. Exports hold weights alone."""
    return is_flowergui_checkpoint(stored) and {"optimizer", "progress"} <= stored.keys()


def extract_state_dict(stored: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """The weights in a dict that was read: of a checkpoint (the averaged ones if there are any) or
    of a state dict in any of the wrappings that `wrapped_weights` knows. Raises FlowerError if
    there are none, or if one is NaN or infinite."""
    if is_flowergui_checkpoint(stored):
        tensors = dict(stored.get("ema") or stored["model"])
    else:
        tensors = wrapped_weights.find_weights(stored)
    if not tensors:
        raise _no_weights(path)
    for name, tensor in tensors.items():
        finite = _is_finite(tensor)
        if finite is None:
            raise FlowerError(
                tr(
                    "{file} has a tensor whose data type can't be used here ({name}).",
                    file=path.name,
                    name=name,
                ),
                hint=tr("Save its weights as float32."),
            )
        if not finite:
            raise FlowerError(
                tr("{file} contains NaN or infinite values ({name}).", file=path.name, name=name),
                hint=tr("Choose a file that was saved before its training went wrong."),
            )
    return tensors


def _is_finite(tensor: Tensor) -> bool | None:
    """Whether all values are finite; None for a kind of tensor that no network here holds: complex,
    sparse, 8-bit."""
    if tensor.is_complex():
        return None
    try:
        return bool(torch.isfinite(tensor).all())
    except (RuntimeError, NotImplementedError):
        return None
