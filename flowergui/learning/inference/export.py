"""Writes a trained network as a file for other programs."""

import os
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from flowergui.errors import FlowerError
from flowergui.events import Exported, Preparing
from flowergui.learning.checkpoints import checkpoint, safetensor_files
from flowergui.learning.inference import onnx_export
from flowergui.learning.inference.predictor import checkpoint_of, renamed_classes
from flowergui.requests import ExportOptions
from flowergui.store.run_folder import RunFolder
from flowergui.text import enumerated, tr

METADATA_KEYS = (
    *("format", "recipe", "classes", "image_size", "normalisation", "epoch", "batch"),
    "fingerprint",
)
"""What predictions need of a checkpoint beside the weights."""

SUFFIXES = (safetensor_files.SUFFIX, ".pth", onnx_export.SUFFIX)


def export(source: Path, out: Path, options: ExportOptions) -> Iterator[Preparing | Exported]:
    """Writes the network of a checkpoint, or of a run's best one, to `out`, with its averaged
    weights if it has them.

    The suffix decides the format: .safetensors, with all that prediction needs, .pth, a plain state
    dict as torch.save writes it, or `with_classes` a dict of it and all that prediction needs, or
    .onnx, see onnx_export. Raises FlowerError.
    """
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise FlowerError(
            tr("{name} has no suffix of a format that can be written.", name=out.name),
            hint=tr("Use one of these: {suffixes}.", suffixes=enumerated(SUFFIXES)),
        )
    path = checkpoint_of(source)
    stored = checkpoint.read(path)
    ours = checkpoint.is_flowergui_checkpoint(stored)
    if options.float16 and suffix == onnx_export.SUFFIX:
        raise FlowerError(
            tr("An ONNX file is written in float32 only."),
            hint=tr("Export a .safetensors or .pth file in float16."),
        )
    if options.with_classes and not ours:
        raise FlowerError(
            tr("{checkpoint} has only weights: its classes are not known.", checkpoint=path.name)
        )
    run = RunFolder(out.parent)
    own = (run.last, run.previous, run.best, run.resumed) if run.exists() else (path,)
    if any(os.path.exists(out) and os.path.exists(each) and out.samefile(each) for each in own):
        raise FlowerError(
            tr("{name} is a checkpoint of a run.", name=out.name), hint=tr("Choose another name.")
        )
    tensors = checkpoint.extract_state_dict(stored, path)
    if options.float16:
        tensors = {name: _halved(name, each) for name, each in tensors.items()}
    facts = {key: stored[key] for key in METADATA_KEYS if key in stored} if ours else {}
    if ours:
        facts["classes"] = list(renamed_classes(path, tuple(stored["classes"])))
    whole = {**facts, "model": tensors}
    if suffix == onnx_export.SUFFIX:
        content = yield from onnx_export.pack(whole, path)
    elif suffix == safetensor_files.SUFFIX:
        content = safetensor_files.packed(tensors, facts)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".pth":
            checkpoint.write(whole if options.with_classes else tensors, out)
        else:
            checkpoint.atomic_write(out, lambda file: file.write(content))
    except OSError as error:
        raise FlowerError(
            tr(
                "{name} can't be written into {folder}: {reason}.",
                name=out.name,
                folder=out.parent,
                reason=error.strerror or error,
            )
        ) from error
    yield Exported(str(out))


def _halved(name: str, tensor: Tensor) -> Tensor:
    """The tensor in float16. Vectors stay in float32: they are small, and the variances among them
    may be too large for float16. Raises FlowerError if another value is."""
    if tensor.ndim < 2 or not tensor.is_floating_point():
        return tensor
    halved = tensor.half()
    if not halved.isfinite().all():
        raise FlowerError(
            tr("{name} has values that are too large for float16.", name=name),
            hint=tr("Export the network in float32."),
        )
    return halved
