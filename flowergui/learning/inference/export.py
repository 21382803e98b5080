"""A trained network as a file for other programs."""

from collections.abc import Iterator
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.events import Exported, Preparing
from flowergui.learning.checkpoints import checkpoint, safetensor_files
from flowergui.learning.inference import onnx_export
from flowergui.store.run_folder import RunFolder

KNOWN = (
    *("format", "recipe", "classes", "image_size", "normalisation", "epoch", "batch"),
    "fingerprint",
)
"""What a file keeps of a checkpoint beside the weights, where its form has room for it."""

FORMS = (safetensor_files.SUFFIX, ".pth", onnx_export.SUFFIX)


def export(source: Path, out: Path) -> Iterator[Preparing | Exported]:
    """Writes the network of a checkpoint, or of a run's best one, to `out`: the averaged weights
    where there are. The ending decides the form: .safetensors, with all that prediction needs,
    .pth, a plain state dict as torch.save writes it, or .onnx, see onnx_files. Raises
    FlowerError."""
    form = out.suffix.lower()
    if form not in FORMS:
        raise FlowerError(
            f"{out.name} has no ending that says what it shall be.",
            hint=f"It may be {', '.join(FORMS[:-1])} or {FORMS[-1]}.",
        )
    path = RunFolder(source).checkpoint_to_use() if source.is_dir() else source
    stored = checkpoint.read(path)
    run = RunFolder(out.parent)
    own = (run.last, run.previous, run.best, run.resumed) if run.exists() else (path,)
    if any(out.exists() and each.exists() and out.samefile(each) for each in own):
        raise FlowerError(f"{out.name} is a checkpoint of a run.", hint="Choose another name.")
    if form == onnx_export.SUFFIX:
        content = yield from onnx_export.pack(path)
    else:
        tensors = checkpoint.extract_state_dict(stored, path)
        if form == safetensor_files.SUFFIX:
            ours = checkpoint.is_flowergui_checkpoint(stored)
            facts = {key: stored[key] for key in KNOWN if key in stored} if ours else {}
            content = safetensor_files.packed(tensors, facts)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if form == ".pth":
            checkpoint.write(tensors, out)
        else:
            checkpoint.atomic_write(out, lambda file: file.write(content))
    except OSError as error:
        raise FlowerError(
            f"{out.name} can't be written into {out.parent}: {error.strerror or error}."
        ) from error
    yield Exported(str(out))
