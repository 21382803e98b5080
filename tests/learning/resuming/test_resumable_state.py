"""A state that does not fit its own network is refused in one sentence, or the one before it is
taken."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from runs import of

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, ResumeChecked, RunStarted, Warned
from flowergui.facts import CheckKind
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.checkpoints.checkpoint_schema import CHECKPOINT
from flowergui.learning.training.progress import Progress
from flowergui.learning.training.schedule import Schedule
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder

Content = dict[str, Any]


@pytest.fixture(scope="module")
def stopped(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A run of an optimizer that was stopped at batch 2, saved at batch 1 too; trained once."""
    runs: dict[str, Path] = {}

    def train(optimizer: str) -> Path:
        if optimizer not in runs:
            recipe = Recipe(
                photos=str(folder), mode="scratch", model="mynet", image_size=32, epochs=2,
                batch_size=6, device="cpu", precision="float32", ema=0.9, optimizer=optimizer,
            )  # fmt: skip
            live = LiveRequests()
            for event in tasks.train(recipe, live, tmp_path_factory.mktemp(optimizer)):
                if isinstance(event, BatchDone):
                    live.save, live.stop = event.step == 1, event.step == 2
            runs[optimizer] = Path(event.run)
        return runs[optimizer]

    return train


@pytest.fixture
def run(stopped: Callable[[str], Path], tmp_path: Path) -> RunFolder:
    return RunFolder(shutil.copytree(stopped("adamw"), tmp_path / "run"))


def first_state(stored: Content) -> Content:
    return stored["optimizer"]["state"][0]


def no_exp_avg(stored: Content) -> None:
    del first_state(stored)["exp_avg"]


def another_name(stored: Content) -> None:
    first_state(stored)["exponential"] = torch.zeros(1)


def another_shape(stored: Content) -> None:
    first_state(stored)["exp_avg"] = torch.zeros(3)


def no_numbers(stored: Content) -> None:
    first_state(stored)["step"] = torch.tensor(3)


def more_parameters(stored: Content) -> None:
    stored["optimizer"]["state"][99] = first_state(stored)


def one_group(stored: Content) -> None:
    del stored["optimizer"]["param_groups"][1]


def weights_are_missing(stored: Content) -> None:
    del stored["model"]["stem.0.weight"]


def weights_of_another_shape(stored: Content) -> None:
    stored["ema"]["stem.0.weight"] = torch.zeros(3)


def weights_are_nan(stored: Content) -> None:
    stored["model"]["stem.0.weight"].fill_(torch.nan)


def another_frozen(stored: Content) -> None:
    stored["frozen"] = ["layer9"]


def another_model(stored: Content) -> None:
    stored["recipe"]["model"] = "resnet18"


def another_device(stored: Content) -> None:
    stored["device"] = "toaster"


def another_precision(stored: Content) -> None:
    stored["precision"] = "int8"


def another_optimizer(stored: Content) -> None:
    stored["recipe"]["optimizer"] = "lion"


def no_run(stored: Content) -> None:
    del stored["progress"]


FAULTS = [
    *(no_exp_avg, another_name, another_shape, no_numbers, more_parameters, one_group),
    *(weights_are_missing, weights_of_another_shape, weights_are_nan, another_frozen),
    *(another_model, another_device, another_precision, another_optimizer, no_run),
]


def spoil(run: RunFolder, fault: Callable[[Content], None]) -> None:
    stored = checkpoint.read(run.last)
    fault(stored)
    torch.save(stored, run.last)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", ["folder", "last.pth"])
def test_the_state_before_is_taken(
    run: RunFolder, fault: Callable[[Content], None], source: str
) -> None:
    spoil(run, fault)
    path = run.path if source == "folder" else run.last
    (checked,) = tasks.check_resume(path)
    assert isinstance(checked, ResumeChecked)
    (which,) = [each for each in checked.checks if each.kind == CheckKind.CHECKPOINT]
    assert which.detail == "previous.pth, from epoch 1, batch 1: last.pth is missing or damaged"
    live, events = LiveRequests(), []
    for event in tasks.resume(path, live):
        events.append(event)
        live.stop = True
    (started,), (warned, *_) = of(events, RunStarted), of(events, Warned)
    assert (started.step, started.run) == (1, str(run.path))
    assert "continues from previous.pth" in warned.message


@pytest.mark.parametrize("fault", FAULTS)
def test_without_one_it_is_refused_in_a_sentence(
    run: RunFolder, fault: Callable[[Content], None]
) -> None:
    run.previous.unlink()
    spoil(run, fault)
    with pytest.raises(FlowerError) as refused:
        list(tasks.resume(run.path))
    assert refused.value.message
    assert refused.value.hint
    with pytest.raises(FlowerError):
        list(tasks.check_resume(run.path))


def test_the_schema_describes_all_that_a_run_counts() -> None:
    described = {name: CHECKPOINT.fields[name] for name in ("progress", "schedule")}
    progress = Progress().state_dict()
    assert described["progress"].fields.keys() == progress.keys()
    assert described["progress"].fields["sums"].fields.keys() == progress["sums"].keys()
    assert described["schedule"].fields.keys() == Schedule.of(Recipe(), 3).state_dict().keys()


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_what_an_optimizer_keeps_fits(
    stopped: Callable[[str], Path], tmp_path: Path, optimizer: str
) -> None:
    run = RunFolder(shutil.copytree(stopped(optimizer), tmp_path / "run"))
    (checked,) = tasks.check_resume(run.path)
    assert {each.verdict for each in checked.checks} == {"same"}
    spoil(run, another_name)
    (checked,) = tasks.check_resume(run.path)
    assert CheckKind.CHECKPOINT in {each.kind for each in checked.checks}


def test_settings_of_an_optimizer_are_those_of_the_recipe(run: RunFolder) -> None:
    def spoilt(stored: Content) -> None:
        for group in stored["optimizer"]["param_groups"]:
            group |= {"betas": "x", "weight_decay": None, "fused": 3}

    spoil(run, spoilt)
    live = LiveRequests()
    for event in tasks.resume(run.path, live):
        live.stop = live.stop or isinstance(event, BatchDone)
    stored = checkpoint.read(run.last)
    assert stored["step"] == 3
    assert stored["optimizer"]["param_groups"][0]["betas"] == (0.9, 0.999)


def test_a_history_that_can_not_be_read_is_kept_beside_a_new_one(run: RunFolder) -> None:
    run.history.path.write_bytes(bytes(300_000))
    live, warned = LiveRequests(), []
    for event in tasks.resume(run.path, live):
        live.stop = live.stop or isinstance(event, BatchDone)
        warned += [event.message] if isinstance(event, Warned) else []
    assert warned == ["history.csv is damaged; it is kept as history-damaged.csv."]
    assert run.history.damaged.stat().st_size == 300_000
    assert [event.step for event in run.history.events()] == [3]


def test_a_checkpoint_that_a_disk_has_damaged_is_passed_over(run: RunFolder) -> None:
    content = bytearray(run.last.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = bytes(4096)
    run.last.write_bytes(content)
    (checked,) = tasks.check_resume(run.path)
    assert CheckKind.CHECKPOINT in {each.kind for each in checked.checks}
    with pytest.raises(FlowerError, match=r"last\.pth is damaged: the checksum of"):
        list(tasks.predict(run.last, ["x.jpg"]))
