"""A trained network as a file for other programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from flowergui.errors import FlowerError
from flowergui.events import Exported
from flowergui.learning import checkpoint, safetensor_files
from flowergui.run_folder import RunFolder

KNOWN = (
    *("format", "recipe", "classes", "image_size", "normalisation", "epoch", "batch"),
    "fingerprint",
)
"""What a file keeps of a checkpoint beside the weights, where its form has room for it."""

FORMS = (safetensor_files.SUFFIX, ".pth")


def export(source: Path, out: Path) -> Iterator[Exported]:
    """Writes the network of a checkpoint, or of a run's best one, to `out`: the averaged weights
    where there are. The ending decides the form: .safetensors, with all that prediction needs,
    or .pth, a plain state dict as torch.save writes it. Raises FlowerError."""
    form = out.suffix.lower()
    if form not in FORMS:
        raise FlowerError(
            f"{out.name} has no ending that says what it shall be.",
            hint=f"It may be {' or '.join(FORMS)}.",
        )
    path = RunFolder(source).answering() if source.is_dir() else source
    stored = checkpoint.read(path)
    run = RunFolder(out.parent)
    own = (run.last, run.previous, run.best, run.resumed) if run.is_one() else (path,)
    if any(out.exists() and each.exists() and out.samefile(each) for each in own):
        raise FlowerError(f"{out.name} is a checkpoint of a run.", hint="Choose another name.")
    tensors = checkpoint.tensors_of(stored, path)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if form == ".pth":
            checkpoint.write(tensors, out)
        else:
            content = safetensor_files.packed(
                tensors,
                {key: stored[key] for key in KNOWN if key in stored}
                if checkpoint.is_ours(stored)
                else {},
            )

            def fill(file: BinaryIO) -> None:
                file.write(content)

            checkpoint.place(out, fill)
    except OSError as error:
        raise FlowerError(
            f"{out.name} can't be written into {out.parent}: {error.strerror or error}."
        ) from error
    yield Exported(str(out))
