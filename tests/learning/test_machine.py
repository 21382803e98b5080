"""What a machine is told before a run."""

from collections.abc import Iterator

import pytest
import torch

from flowergui.learning import machine


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
    machine.allow_tf32(torch.device(device))
    assert torch.backends.cuda.matmul.allow_tf32 == (device == "cuda")
