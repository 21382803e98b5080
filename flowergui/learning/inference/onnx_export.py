"""A trained network as .onnx: for phones, browsers, and programs without torch.

What comes out takes `images`, float32 (photos, 3, size, size), RGB from 0 to 1, and gives
`probabilities`, float32 (photos, classes): normalisation and softmax are part of it. The names of
the classes are JSON in its metadata, under "classes"; under "image_size" is the size.
"""

import json
import traceback
from collections.abc import Generator
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from flowergui.errors import FlowerError
from flowergui.events import Preparing
from flowergui.learning.inference import predictor
from flowergui.learning.inference.predictor import Predictor

SUFFIX: Final = ".onnx"

NEEDED = ("onnx", "onnxscript", "onnxruntime")

MOST = 2**31 - 1
"""Bytes of the largest file: protobuf's bound."""

PATIENCE = 0.1
"""Seconds between two looks at the process that traces."""

EXACT = 1e-3
"""The most that a probability may differ from the one that torch computes."""


class _Portable(nn.Module):
    """Images (photos, 3, side, side), RGB from 0 to 1, to probabilities (photos, classes)."""

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


def pack(path: Path) -> Generator[Preparing, None, bytes]:
    """The content of a file for the network in a checkpoint. It is run before it is given away:
    what does not answer as the network does is refused. Raises FlowerError, also where packages
    are missing that it takes, and RuntimeError where tracing breaks.

    Tracing replaces methods of nn.Module while it lasts, and would trip a training or a prediction
    in another thread: so it has a process of its own.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise FlowerError(
            f"An .onnx file takes packages that are not installed: {', '.join(missing)}.",
            hint=f"pip install {' '.join(missing)}",
        )
    net = predictor.load(path).net
    if sum(each.nbytes for each in net.state_dict().values()) > MOST:
        raise FlowerError(
            "This network is too large for an .onnx file, which holds 2 GB.",
            hint="Write a .safetensors file.",
        )
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_trace_into, args=(path, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        while not ours.poll(PATIENCE):
            yield Preparing("Tracing the network", 0, 0)
        told: bytes | str = ours.recv()
    except EOFError:
        raise RuntimeError("the process that traces has died") from None
    finally:
        process.terminate()
        process.join()
        ours.close()
    if isinstance(told, str):
        raise RuntimeError(told)
    _check(told, _Portable(predictor.load(path)))
    return told


def _trace_into(path: Path, pipe: Connection) -> None:
    """Sends the content, or the traceback of what went wrong."""
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
        dynamic_shapes={"images": {0: torch.export.Dim("photos")}},
        verbose=False,
    )
    assert program is not None  # only the older way gives none
    program.model.metadata_props["classes"] = json.dumps(trained.classes)
    program.model.metadata_props["image_size"] = str(side)
    content: bytes = program.model_proto.SerializeToString()
    return content


def _check(content: bytes, portable: _Portable) -> None:
    """Raises FlowerError where it answers otherwise than `portable`."""
    import onnxruntime

    generator = torch.Generator().manual_seed(0)  # a training beside it draws from torch's own
    images = torch.rand(3, 3, portable.side, portable.side, generator=generator)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (told,) = session.run(["probabilities"], {"images": images.numpy()})
    with torch.inference_mode():
        wanted = portable(images)
    if not torch.allclose(torch.from_numpy(told), wanted, rtol=0, atol=EXACT):
        raise FlowerError(
            "The .onnx file would not answer as the network does; it was not written.",
            hint="Write a .safetensors file.",
        )
