"""A small network in training, without a run folder, and a batch for it."""

import torch

from flowergui.config.recipe import Recipe
from flowergui.learning.models.build import build
from flowergui.learning.training.model_state import ModelState
from flowergui.learning.training.runtime_config import RuntimeConfig

CONFIG = RuntimeConfig(32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2), torch.device("cpu"), torch.float32)


def made(recipe: Recipe) -> ModelState:
    """mynet with three outputs for images of 32 px; the same weights each time."""
    torch.manual_seed(1)
    return ModelState(build("mynet", 3, 32), recipe, CONFIG, 3)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Images (6, 3, 32, 32) float32 and labels (6,) int64; the same each time."""
    generator = torch.Generator().manual_seed(2)
    return torch.randn(6, 3, 32, 32, generator=generator), torch.arange(6) % 3
