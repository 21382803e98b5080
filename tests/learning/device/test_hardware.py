"""What a machine is told before a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from flowergui.errors import FlowerError
from flowergui.learning.device import hardware


@pytest.fixture
def exact() -> Iterator[None]:
    """Matrices are multiplied as they stand, and as before afterwards."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_nothing_but_a_graphics_card_computes_in_tf32(device: str) -> None:
    hardware.allow_tf32(torch.device(device))
    assert torch.backends.cuda.matmul.allow_tf32 == (device == "cuda")


@pytest.mark.parametrize("kind", ["cpu", "cuda", "mps"])
def test_each_kind_of_gpu_is_waited_for(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: waited.append("cuda"))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    hardware.synchronize(torch.device(kind))
    assert waited == ([] if kind == "cpu" else [kind])


@pytest.mark.parametrize(
    ("limit", "free"),
    [("max", 8_000 * 1024), ("3000000", 1_500_000), ("900000", 0), ("99000000", 8_000 * 1024)],
)
def test_a_containers_limit_bounds_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, free: int
) -> None:
    monkeypatch.setattr(hardware, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(hardware, "GROUP", tmp_path)
    assert hardware.free_memory() == 4 << 30  # the system won't say
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    assert hardware.free_memory() == 8_000 * 1024
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text("2000000\n")
    (tmp_path / "memory.stat").write_text("anon 1400000\ninactive_file 500000\n")
    assert hardware.free_memory() == free


@pytest.mark.parametrize(
    "said",
    [
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 8589934592 bytes. Error code 12 (Cannot allocate memory)",
        "[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: not enough memory: you "
        "tried to allocate 8589934592 bytes.",
        "CUDA out of memory. Tried to allocate 8.00 GiB.",
        "unable to mmap 8589934592 bytes from file <a>: Cannot allocate memory (12)",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    ],
)
def test_too_little_memory_is_known_by_what_torch_says(said: str) -> None:
    assert hardware.out_of_memory(RuntimeError(said))


def test_too_little_memory_is_known() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert hardware.out_of_memory(refused.value)
    with pytest.raises(RuntimeError) as another:
        torch.empty(2) @ torch.empty(3)
    assert not hardware.out_of_memory(another.value)


def test_several_processes_use_no_apple_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert hardware.device("auto").type == hardware.device("mps").type == "mps"
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert hardware.device("auto").type == "cpu"
    with pytest.raises(FlowerError, match="Apple GPU"):
        hardware.device("mps")
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert hardware.device("auto").type == "mps"


def test_devices_are_named(monkeypatch, tmp_path):
    facts = tmp_path / "cpuinfo"
    facts.write_text("processor\t: 0\nmodel name\t: AMD EPYC 9R14\n", "utf-8")
    monkeypatch.setattr(hardware, "CPU", facts)
    assert next(hardware.device_names()) == f"CPU: AMD EPYC 9R14, {hardware.cores()} cores"
    monkeypatch.setattr(hardware, "CPU", tmp_path / "nowhere")
    assert next(hardware.device_names()).startswith("CPU: ")
