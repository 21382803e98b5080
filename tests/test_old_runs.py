"""Run folders that earlier versions wrote are read, resumed and used for predictions."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from runs import of

from flowergui import tasks
from flowergui.events import BatchDone, EpochDone, Finished, Predicted, ResumeChecked, RunStarted
from flowergui.learning.models.mynet import MyNet
from flowergui.store import library
from flowergui.store.run_folder import RunFolder

OLD = Path(__file__).parent / "old_runs"
EXPECTED = json.loads((OLD / "expected.json").read_text())


@pytest.fixture(autouse=True)
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_photos: Callable[..., Path]) -> Path:
    """A folder with copies of the old runs and the images that they were trained on."""
    forget_networks()
    monkeypatch.setattr(MyNet, "WIDTHS", (4, 4, 8, 8))
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    shutil.copytree(OLD, tmp_path / "old")
    make_photos(tmp_path / "flowers")
    yield tmp_path / "old"
    torch.set_num_threads(threads)
    forget_networks()


def forget_networks() -> None:
    """Clears what is cached of networks by their names: MyNet is another one here."""
    for name, module in list(sys.modules.items()):
        if name.startswith("flowergui.learning."):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


@pytest.mark.parametrize("name", list(EXPECTED))
def test_an_old_run_is_listed(old: Path, name: str) -> None:
    run = library.run_of(old / name / "last.pth")
    assert run is not None
    assert run.class_count == 3
    rows = list(RunFolder(old / name).history.events())
    assert rows
    assert all(isinstance(row, BatchDone | EpochDone) for row in rows)


@pytest.mark.parametrize("name", list(EXPECTED))
def test_an_old_run_ends_as_it_would_have_ended(old: Path, name: str) -> None:
    changes = {"epochs": 4} if name.startswith("finished") else {}
    (checked,) = of(list(tasks.check_resume(old / name, changes)), ResumeChecked)
    assert not [check for check in checked.checks if check.verdict == "blocking"]
    events = list(tasks.resume(old / name, changes=changes))
    assert isinstance(events[-1], Finished)
    (started,) = of(events, RunStarted)
    assert started.resumed
    losses = [event.loss for event in of(events, BatchDone)]
    assert of(events, BatchDone)[0].step == EXPECTED[name]["first"]
    assert losses == pytest.approx(EXPECTED[name]["losses"], rel=1e-3)
    val_losses = [event.val_loss for event in of(events, EpochDone)]
    assert val_losses == pytest.approx(EXPECTED[name]["val_losses"], rel=1e-3)


@pytest.mark.parametrize("name", list(EXPECTED))
def test_an_old_checkpoint_predicts_as_before(old: Path, name: str) -> None:
    events = list(tasks.predict(old / name / "best.pth", ["flowers/daisy/daisy_0.jpg"]))
    (predicted,) = of(events, Predicted)
    probabilities = {each.name: each.probability for each in predicted.predictions}
    assert probabilities == pytest.approx(EXPECTED[name]["predictions"], rel=1e-3)


def test_a_bare_state_dict_is_recognised(old: Path) -> None:
    events = list(tasks.resume(old / "weights.pth", changes={"photos": "flowers", "epochs": 1}))
    (started,) = of(events, RunStarted)
    assert (started.model, started.classes) == ("mynet", ("daisy", "iris", "lily"))
