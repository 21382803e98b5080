"""The copies of a run in the other processes of a torchrun job, which follow rank 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from flowergui.config.recipe import Recipe
from flowergui.learning.checkpoints.checkpoint_writer import copied_to_cpu
from flowergui.learning.data.split import Split
from flowergui.learning.device import hardware
from flowergui.learning.models.build import build
from flowergui.learning.models.pretrained import Rgb
from flowergui.learning.training.model_state import ModelState
from flowergui.learning.training.run import Run
from flowergui.learning.training.runtime_config import RuntimeConfig
from flowergui.store.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class RunCopy:
    """What another process needs to train along: the run's recipe, split and folder, its `state` as
    a checkpoint has it, in main memory, and the configuration: the kind of device ("cuda"), not
    which one."""

    recipe: Recipe
    split: Split
    folder: Path
    batches: int
    state: Mapping[str, Any]
    unreadable: frozenset[str]
    image_size: int
    normalization: tuple[Rgb, Rgb]
    precision: str
    device: str

    @classmethod
    def of(cls, run: Run) -> Self | None:
        """Of a run before its next batch; None if it trains alone."""
        if run.world.is_alone:
            return None
        config = run.config
        return cls(
            recipe=run.recipe,
            split=run.split,
            folder=run.folder.path,
            batches=run.batches,
            state=copied_to_cpu(run.state_dict()),
            unreadable=frozenset(run.unreadable),
            image_size=config.image_size,
            normalization=(config.mean, config.std),
            precision=config.precision,
            device=config.device.type,
        )

    def restored(self) -> Run:
        """The run in this process. It writes nothing."""
        device = hardware.device(self.device)
        config = RuntimeConfig(
            image_size=self.image_size,
            mean=self.normalization[0],
            std=self.normalization[1],
            device=device,
            dtype=hardware.precision(self.precision, device),
        )
        classes = len(self.split.classes)
        net = build(self.recipe.model, classes, self.image_size)
        model = ModelState(net, self.recipe, config, classes)
        run = Run(self.recipe, self.split, RunFolder(self.folder), model, self.batches)
        run.load_state_dict(self.state, frozen=self.state["frozen"])
        run.unreadable.update(self.unreadable)
        return run
