"""A trained network as .onnx: for phones, browsers, and programs without torch.

The model takes `images`, float32 (B, 3, S, S), RGB from 0 to 1, and gives `probabilities`, float32
(B, classes): normalization and softmax are part of it. Its metadata holds the names of the classes
as JSON, under "classes", and S under "image_size".
"""

import json
import traceback
from collections.abc import Generator, Mapping
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
from torch import Tensor, nn

from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.inference import predictor
from flowergui.learning.inference.predictor import Predictor
from flowergui.text import enumerated, tr

SUFFIX: Final = ".onnx"

PACKAGES = ("onnx", "onnxscript", "onnxruntime")

MAX_BYTES = 2**31 - 1
"""Of a file: protobuf's limit."""

POLL_SECONDS = 0.1

TOLERANCE = 1e-3
"""The most that a probability may differ from the one that torch computes."""


class _Portable(nn.Module):
    """Images (B, 3, S, S), RGB from 0 to 1 -> probabilities (B, classes)."""

    mean: Tensor
    std: Tensor

    def __init__(self, trained: Predictor) -> None:
        super().__init__()
        self.eval()
        self.net, self.side = trained.net, trained.image_size
        self.register_buffer("mean", torch.tensor(trained.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(trained.std).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.net((images - self.mean) / self.std)
        return logits.softmax(-1)


def pack(stored: Mapping[str, Any], path: Path) -> Generator[Preparing, None, bytes]:
    """The content of a file for the network in `stored`, which was read from the checkpoint at
    `path`; it is run once, and refused if its probabilities differ from the network's. Raises
    FlowerError, also if packages are missing, and RuntimeError if tracing fails.

    Tracing has a process of its own, as it replaces methods of nn.Module while it lasts, which
    would break a run or a prediction in another thread. That process reads a copy: a run may
    replace the checkpoint meanwhile.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise FlowerError(
            tr(
                "To write .onnx, these packages have to be installed: {packages}.",
                packages=enumerated(missing),
            ),
            hint=f"pip install {' '.join(missing)}",
        )
    trained = predictor.from_stored(stored, path)
    if sum(each.nbytes for each in trained.net.state_dict().values()) > MAX_BYTES:
        raise FlowerError(
            tr("This network is too large for an .onnx file, which holds 2 GB."),
            hint=tr("Write a .safetensors file."),
        )
    with TemporaryDirectory(prefix="flowergui-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder, path.name)
        _write(stored, copy)
        content = yield from _traced(copy)
    _check(content, _Portable(trained))
    return content


def _write(stored: Mapping[str, Any], copy: Path) -> None:
    """Raises FlowerError if the disk is full."""
    try:
        checkpoint.write(stored, copy)
    except OSError as error:
        raise FlowerError(
            tr(
                "{name} can't be written into {folder}: {reason}.",
                name=copy.name,
                folder=copy.parent,
                reason=error.strerror or error,
            )
        ) from error


def _traced(path: Path) -> Generator[Preparing, None, bytes]:
    """The content of a file for the network in a checkpoint. Raises RuntimeError."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_trace_into, args=(path, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        while not ours.poll(POLL_SECONDS):
            yield Preparing(tr("Tracing the network"), 0, 0)
        result: bytes | str = ours.recv()
    except EOFError:
        raise RuntimeError("the process that traces has died") from None
    finally:
        process.terminate()
        process.join()
        ours.close()
    if isinstance(result, str):
        raise RuntimeError(result)
    return result


def _trace_into(path: Path, pipe: Connection) -> None:
    """Sends the content, or a traceback."""
    try:
        pipe.send(_trace(predictor.load(path)))
    except Exception:
        pipe.send(traceback.format_exc())
    pipe.close()


def _trace(trained: Predictor) -> bytes:
    portable = _Portable(trained)
    side = trained.image_size
    program = torch.onnx.export(
        portable,
        (torch.zeros(2, 3, side, side),),
        dynamo=True,  # the older way is going away
        input_names=["images"],
        output_names=["probabilities"],
        dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        verbose=False,
    )
    assert program is not None  # only the older way gives none
    program.model.metadata_props["classes"] = json.dumps(trained.classes)
    program.model.metadata_props["image_size"] = str(side)
    content: bytes = program.model_proto.SerializeToString()
    return content


def _check(content: bytes, portable: _Portable) -> None:
    """Raises FlowerError if the model's probabilities differ from those of `portable`."""
    import onnxruntime

    generator = torch.Generator().manual_seed(0)  # torch's own belongs to a run
    images = torch.rand(3, 3, portable.side, portable.side, generator=generator)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (actual,) = session.run(["probabilities"], {"images": images.numpy()})
    with torch.inference_mode():
        expected = portable(images)
    if not torch.allclose(torch.from_numpy(actual), expected, rtol=0, atol=TOLERANCE):
        raise FlowerError(
            tr("The .onnx file would not predict as the network does; it was not written."),
            hint=tr("Write a .safetensors file."),
        )
