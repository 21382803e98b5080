"""Finds a GPU that this PyTorch can't use, and what installs one that can."""

import os
import shutil
from pathlib import Path

import torch

from flowergui.events import DeviceNoticed
from flowergui.facts import DeviceNotice
from flowergui.system import pip_commands

CUDA_WHEELS = "https://download.pytorch.org/whl/cu128"
"""PyTorch's own wheels with CUDA 12.8 (https://pytorch.org/get-started/locally/). On Windows,
PyPI's wheels come without CUDA."""

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
"""There if Linux has loaded NVIDIA's driver."""


def unused_gpu() -> DeviceNoticed | None:
    """The notice that an NVIDIA GPU is not used because PyTorch was built without CUDA; None if
    nothing is wrong, or nothing can be installed."""
    built_for_gpus = torch.version.cuda or torch.version.hip or torch.version.xpu
    if built_for_gpus or not pip_commands.can_install() or not _has_nvidia_driver():
        return None
    return DeviceNoticed(DeviceNotice.TORCH_WITHOUT_CUDA, install_command())


def install_command() -> str:
    """The shell command that replaces this PyTorch by one with CUDA."""
    wheels = ("torch", "torchvision", "--index-url", CUDA_WHEELS)
    return pip_commands.install_command(*wheels, reinstall=True)


def _has_nvidia_driver() -> bool:
    if shutil.which("nvidia-smi") or os.path.exists(NVIDIA_DRIVER):
        return True
    system = os.environ.get("SYSTEMROOT", "")
    return bool(system) and os.path.exists(Path(system, "System32", "nvcuda.dll"))
