"""What is saved, how it is saved safely, how it is read safely."""

import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.learning.checkpoints import safetensor_files
from flowergui.learning.checkpoints.direct_file import DirectFile
from flowergui.store.atomic_io import replace_with_retry, temp_path
from flowergui.store.run_folder import RunFolder

FORMAT = "flowergui-1"
"""The value of the key `format`: a checkpoint of ours, in this version's form."""


def write(content: Mapping[str, Any], path: Path, *, keep_as: Path | None = None) -> None:
    """Puts `content` (builtins and tensors) at `path` as torch.save does, whole or not at all;
    see `place`. Raises OSError, whatever went wrong: torch reports a full disk as a
    RuntimeError."""

    def fill(file: BinaryIO) -> None:
        try:
            torch.save(dict(content), file)
        except RuntimeError as error:
            raise OSError(f"writing {path.name} failed, the disk may be full") from error

    atomic_write(path, fill, keep_as=keep_as)


def atomic_write(
    path: Path, fill: Callable[[BinaryIO], object], *, keep_as: Path | None = None
) -> None:
    """Puts a file at `path`, whole or not at all.

    `fill` writes it beside, it is forced to disk and read again before it takes the place of
    what was there; that is kept as `keep_as` where one is given. Raises OSError, and what `fill`
    raises.
    """
    half = temp_path(path)
    try:
        with DirectFile(half) as file:
            fill(file)
            file.finish()
        if not file.is_on_disk():
            raise OSError(f"{path.name} was damaged while it was written")
        if keep_as is not None and path.exists():
            replace_with_retry(path, keep_as)
            try:
                replace_with_retry(half, path)
            except OSError:
                replace_with_retry(keep_as, path)
                raise
        else:
            replace_with_retry(half, path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows can't open folders, and writes their entries through
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> dict[str, Any]:
    """The dict in a .pth or .safetensors file, on the CPU; nothing in it is ever executed.

    Raises FlowerError that names the file.
    """
    if path.is_dir():
        raise FlowerError(f"{path.name} is a folder, not a checkpoint.")
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FlowerError(f"There is no file {path}.") from None
    except OSError as error:
        raise FlowerError(f"{path.name} can't be opened: {error.strerror or error}.") from error
    with file:
        if path.suffix.lower() == safetensor_files.SUFFIX:
            return safetensor_files.read(path)
        _reject_zip_bombs(file, path)
        try:
            stored = torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise FlowerError(
                f"{path.name} is refused: it holds more than numbers, or is no checkpoint at all.",
                hint="Save the state_dict of the network instead: "
                "torch.save(net.state_dict(), path).",
            ) from error
        except Exception as error:  # damaged files fail in many ways
            raise FlowerError(f"{path.name} is no checkpoint, or it is damaged.") from error
    if not isinstance(stored, Mapping):
        raise FlowerError(f"{path.name} holds no weights.")
    return dict(stored)


def _reject_zip_bombs(file: BinaryIO, path: Path) -> None:
    """torch keeps the members of its archives as they are. One that is packed, or that lies over
    another, can make gigabytes of a few kilobytes; it is refused before anything is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:  # the older form, or no checkpoint at all
        members = []
    except Exception as error:  # a directory that is spoilt
        raise FlowerError(f"{path.name} is no checkpoint, or it is damaged.") from error
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > size:
        raise FlowerError(
            f"{path.name} is refused: it would take more room than the file itself has, as no "
            "file that torch wrote does.",
            hint="Ask whoever gave it to you for one that torch.save wrote.",
        )
    file.seek(0)


def newest(run: RunFolder) -> tuple[dict[str, Any], Path]:
    """What a run's last.pth holds, else what previous.pth does, and which it was. Raises
    FlowerError where neither can be read."""
    if not run.last.exists() and not run.previous.exists():
        raise FlowerError(
            f"There is nothing to resume in {run.path.name}.", hint="It has no last.pth."
        )
    try:
        return read(run.last), run.last
    except FlowerError:
        if not run.previous.exists():
            raise
        return read(run.previous), run.previous


def is_flowergui_checkpoint(stored: Mapping[str, Any]) -> bool:
    """Whether a dict that was read is a checkpoint of a run of ours. Raises FlowerError for one
    of a later version."""
    name = stored.get("format")
    if isinstance(name, str) and name.startswith("flowergui-") and name != FORMAT:
        raise FlowerError(
            f"This checkpoint is of a later version of flowergui ({name}).",
            hint="Update flowergui.",
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
    """The weights in a dict that was read: those of a checkpoint of ours (the averaged ones
    where there are), or a bare state dict, also one step down ("state_dict", "model") and
    with the prefix that DataParallel adds. Raises FlowerError where there are none, and where
    one holds NaN or infinity: no run could start from it."""
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
        raise FlowerError(f"{path.name} holds no weights.")
    for name, tensor in tensors.items():
        try:
            finite = bool(torch.isfinite(tensor).all())
        except (RuntimeError, NotImplementedError) as error:  # sparse ones, 8-bit ones
            raise FlowerError(
                f"{path.name} holds numbers of a kind that can't be used here ({name}).",
                hint="Save its weights as float32.",
            ) from error
        if not finite:
            raise FlowerError(
                f"{path.name} is spoilt: {name} holds values that are no numbers.",
                hint="Choose a file that was saved before its training went wrong.",
            )
    return tensors
