"""What this machine has, and what "auto" means on it."""

import gc
import os
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

import torch

from flowergui.errors import FlowerError
from flowergui.learning.device.gpu_check import unused_gpu
from flowergui.system.torchrun import has_other_processes, processes_on_this_machine
from flowergui.text import tr
from flowergui.wording import device_notice_remedy, device_notice_text

GIB = 1 << 30

CPU = Path("/proc/cpuinfo")
"""Where Linux names the CPU."""

MEMORY = Path("/proc/meminfo")
GROUP = Path("/sys/fs/cgroup")
"""Where Linux reports the memory of the machine, and of a container from within (cgroup v2)."""


def device(requested: str) -> torch.device:
    """The device that "auto", "cpu", "cuda" or "mps" means. Raises FlowerError if it is missing.
    Several processes can't train together on an Apple GPU: Gloo has no MPS backend."""
    if requested == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        has_mps = torch.backends.mps.is_available() and not has_other_processes()
        return torch.device("mps" if has_mps else "cpu")
    if requested == "cuda" and not torch.cuda.is_available():
        if (notice := unused_gpu()) is not None:
            raise FlowerError(device_notice_text(notice), hint=device_notice_remedy(notice))
        raise FlowerError(
            tr("This machine has no NVIDIA or AMD GPU that PyTorch can use."),
            hint=tr("Choose the device auto."),
        )
    if requested == "mps" and not torch.backends.mps.is_available():
        raise FlowerError(
            tr("This machine has no Apple GPU that PyTorch can use."),
            hint=tr("Choose the device auto."),
        )
    if requested == "mps" and has_other_processes():
        raise FlowerError(
            tr("Several processes can't train together on an Apple GPU."),
            hint=tr("Choose the device cpu, or one process."),
        )
    return torch.device(requested)


def precision(requested: str, on: torch.device) -> torch.dtype:
    """The type that "auto", "float32", "bfloat16" or "float16" means on this device."""
    if requested == "float32" or on.type == "mps":
        return torch.float32
    if requested == "bfloat16":
        return torch.bfloat16
    if requested == "float16":
        if on.type == "cpu":
            raise FlowerError(tr("float16 needs a GPU."), hint=tr("Choose bfloat16 or auto."))
        return torch.float16
    if on.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float16
    return torch.bfloat16 if bfloat16_pays() else torch.float32


@cache
def bfloat16_pays() -> bool:
    """Whether this CPU convolves in bfloat16 at least 1.3 times as fast as in float32.

    It is measured, which takes some 80 ms. CPUs with AVX512-BF16 or AMX are about three times as
    fast, so noise can't change the result; others emulate bfloat16 and are slower.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so that another busy program slows down a few tries, not all
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
    """Lets NVIDIA GPUs multiply float32 matrices in TF32: 10 bits of mantissa instead of 23, and
    several times as fast. torch already does so for convolutions."""
    if on.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True


def choose_deterministic_convolutions(on: torch.device) -> None:
    """Has cuDNN take deterministic algorithms for convolutions, so that a resumed run ends like one
    that was not interrupted. Some other kernels for NVIDIA GPUs stay nondeterministic."""
    if on.type == "cuda":
        torch.backends.cudnn.deterministic = True


def device_names() -> Iterator[str]:
    """The devices that networks can run on, each in a line: "CPU: AMD EPYC 9R14, 2 cores"."""
    name = platform.processor() or platform.machine()
    with suppress(OSError, StopIteration):
        lines = CPU.read_text("utf-8", "replace").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    yield f"CPU: {name}, {cores()} cores"
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        yield f"GPU {number}: {facts.name}, {facts.total_memory / GIB:.0f} GiB"
    if torch.backends.mps.is_available():
        yield "GPU: Apple (MPS)"


def cores() -> int:
    """The number of CPU cores that this process may use: its share of them if torchrun has started
    several processes on this machine."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(count // processes_on_this_machine(), 1)


@contextmanager
def one_core(alone: bool = True) -> Iterator[None]:
    """Runs this thread's torch operations on one core if `alone`.

    For operations of microseconds, cores spend more time waiting for each other than they save.
    Costs half a microsecond.
    """
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
    """Free bytes on a GPU, or in main memory: what the machine has, or what a container allows if
    that is less. It is 4 GiB if the system doesn't report it."""
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
    """Free bytes on the disk of `folder`, which need not exist; 0 if that can't be found out."""
    with suppress(OSError):
        nearest = next(each for each in (folder, *folder.parents) if os.path.exists(each))
        return shutil.disk_usage(nearest).free
    return 0


def _numbers(path: Path) -> dict[str, int]:
    """Lines of a name and a number, as in /proc/meminfo."""
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


_OUT_OF_MEMORY: Final = (
    *("not enough memory", "out of memory"),  # torch on Windows, and on a GPU
    *("can't allocate memory", "cannot allocate memory"),  # torch on Linux, and Linux itself
    *("alloc_failed", "allocation_failed"),  # cuBLAS and cuDNN
)


@contextmanager
def report_out_of_memory(message: str, hint: str) -> Iterator[None]:
    """Raises FlowerError with this message and hint for what a device or the system raises when
    memory is full."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise FlowerError(message, hint=hint) from error


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that main memory or a GPU's memory is exhausted."""
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        words in text for words in _OUT_OF_MEMORY
    )
