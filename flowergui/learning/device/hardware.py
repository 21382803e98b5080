"""What this machine has, and what "auto" comes to on it."""

import gc
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import torch

from flowergui.errors import FlowerError

GIB = 1 << 30

MEMORY = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")
"""What Linux tells of memory: the machine's, and (cgroup v2) that of a container, from within."""


def device(wish: str) -> torch.device:
    """The device that "auto", "cpu", "cuda" or "mps" means. Raises FlowerError where it is not
    there."""
    if wish == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    missing = ""
    if wish == "cuda" and not torch.cuda.is_available():
        missing = "NVIDIA or AMD graphics card"
    elif wish == "mps" and not torch.backends.mps.is_available():
        missing = "Apple graphics processor"
    if missing:
        raise FlowerError(f"This machine has no {missing} that torch can use.", hint="Choose auto.")
    return torch.device(wish)


def precision(wish: str, on: torch.device) -> torch.dtype:
    """The type that "auto", "float32", "bfloat16" or "float16" means on this device."""
    if wish == "float32" or on.type == "mps":
        return torch.float32
    if wish == "bfloat16":
        return torch.bfloat16
    if wish == "float16":
        if on.type == "cpu":
            raise FlowerError("float16 needs a graphics card.", hint="Choose bfloat16 or auto.")
        return torch.float16
    if on.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float16
    return torch.bfloat16 if bfloat16_pays() else torch.float32


@cache
def bfloat16_pays() -> bool:
    """Whether this processor convolves in bfloat16 at least 1.3 times as fast as in float32.

    Measured (some 80 ms), not looked up: only processors with AVX512-BF16 or AMX gain, on
    others bfloat16 is emulated and slower. Those that gain do so about threefold, so that
    noise does not turn the answer.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so that a busy neighbour costs a few tries, not all of them
    try:
        spent = {dtype: _convolution_time(dtype) for dtype in (torch.float32, torch.bfloat16)}
    finally:
        torch.set_num_threads(threads)
    return spent[torch.float32] > 1.3 * spent[torch.bfloat16]


def _convolution_time(dtype: torch.dtype) -> float:
    """Seconds of the fastest of twelve 3x3 convolutions of (8, 64, 28, 28)."""
    images = torch.ones(8, 64, 28, 28, dtype=dtype).to(memory_format=torch.channels_last)
    kernel = torch.ones(64, 64, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
    times = []
    with torch.inference_mode():
        for _ in range(12):
            start = time.perf_counter()
            torch.nn.functional.conv2d(images, kernel, padding=1)
            times.append(time.perf_counter() - start)
    return min(times)


def allow_tf32(on: torch.device) -> None:
    """Has NVIDIA cards multiply float32 matrices in TF32 (10 bits of mantissa instead of 23, and
    several times as fast), as torch has them convolve by itself."""
    if on.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True


def cores() -> int:
    """The processor's cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_core(alone: bool = True) -> Iterator[None]:
    """This thread's work in torch on one core, where it is to be `alone`: cores that share work of
    microseconds spend them waiting for each other. Takes half a microsecond."""
    before = torch.get_num_threads()
    if not alone or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def free_memory(on: torch.device | None = None) -> int:
    """Bytes of memory that could be had now on a graphics card, or of main memory (4 GiB where
    the system won't say): of the machine's, and of what the container allows that this may run
    in, whichever is less."""
    if on is not None and on.type == "cuda":
        return int(torch.cuda.mem_get_info(on)[0])
    free = 4 * GIB
    with suppress(OSError, KeyError):
        free = _numbers(MEMORY)["MemAvailable:"] * 1024
    with suppress(OSError, KeyError, ValueError):  # "max" is no number
        most = int((GROUP / "memory.max").read_text(encoding="ascii"))
        taken = int((GROUP / "memory.current").read_text(encoding="ascii"))
        cached = _numbers(GROUP / "memory.stat")["inactive_file"]  # files, which give way
        free = min(free, max(most - taken + cached, 0))
    return free


def free_disk(folder: Path) -> int:
    """Bytes that are free where `folder` lies, or would lie; 0 where that can't be known."""
    with suppress(OSError):
        return shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free
    return 0


def _numbers(path: Path) -> dict[str, int]:
    """The first word of each line, and the number after it."""
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1}


def release() -> None:
    """Frees memory that is no longer referenced, and what torch caches of it on a GPU."""
    gc.collect()
    torch.cuda.empty_cache()  # does nothing without a GPU
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def synchronize(device: torch.device) -> None:
    """Waits until a GPU has done all its work. The CPU's is done when a call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def out_of_memory(error: BaseException) -> bool:
    """Whether it says that there is not enough memory, the processor's or a card's."""
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        "not enough memory" in text or "out of memory" in text
    )
