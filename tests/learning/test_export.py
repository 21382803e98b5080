"""A trained network as a file: it answers as the checkpoint does, here and elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from flowergui import tasks
from flowergui.errors import FlowerError
from flowergui.events import Exported, Finished, Guessed, Noted, Opened
from flowergui.learning import checkpoint, network
from flowergui.recipe import Recipe
from flowergui.run_folder import RunFolder

Little = Callable[..., Recipe]


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    recipe = Recipe(
        photos=str(folder), model="mynet", image_size=32, epochs=2, batch_size=6, ema=0.5,
        device="cpu", precision="float32",
    )  # fmt: skip
    *_, done = tasks.train(recipe, models=tmp_path_factory.mktemp("models"))
    assert isinstance(done, Finished)
    return RunFolder(Path(done.run))


def guesses(source: Path, photo: Path) -> list[tuple[str, float]]:
    (guessed,) = tasks.predict(source, [photo])
    assert isinstance(guessed, Guessed)
    return [(each.name, each.probability) for each in guessed.guesses]


def test_safetensors_answer_as_the_checkpoint_does(run: RunFolder, folder: Path, tmp_path: Path):
    out = tmp_path / "new" / "flowers.safetensors"
    assert list(tasks.export(run.path, out)) == [Exported(str(out))]
    photo = next(folder.rglob("*.jpg"))
    assert guesses(out, photo) == guesses(run.best, photo)
    averaged = checkpoint.read(run.best)["ema"]
    elsewhere = safetensors.torch.load_file(out)
    assert all(torch.equal(elsewhere[name], averaged[name]) for name in averaged)


def test_a_plain_state_dict_for_other_programs(run: RunFolder, tmp_path: Path) -> None:
    list(tasks.export(run.best, tmp_path / "flowers.pth"))
    net = network.build("mynet", 3, 32)
    net.load_state_dict(torch.load(tmp_path / "flowers.pth", weights_only=True))


@pytest.mark.parametrize("name", ["flowers.safetensors", "flowers.pth"])
def test_what_was_exported_can_be_gone_on_with_and_transferred_from(
    run: RunFolder, little: Little, tmp_path: Path, name: str
) -> None:
    out = tmp_path / name
    list(tasks.export(run.path, out))
    changes = {**little(epochs=1).as_dict(), "frozen": ()}
    events = list(tasks.resume(out, changes=changes))
    assert any("holds weights alone" in e.message for e in events if isinstance(e, Noted))
    events = list(tasks.train(little(mode="transfer", weights=str(out), epochs=1)))
    assert isinstance(events[-1], Finished)
    opened = next(event for event in events if isinstance(event, Opened))
    assert opened.mode == "transfer"


def test_weights_of_other_classes_are_not_gone_on_with(
    run: RunFolder, little: Little, make_photos, tmp_path: Path
) -> None:
    list(tasks.export(run.path, tmp_path / "flowers.safetensors"))
    others = make_photos(tmp_path / "others", classes=3)
    (others / "iris").rename(others / "aster")
    changes = {**little(photos=str(others)).as_dict(), "frozen": ()}
    with pytest.raises(FlowerError, match="knows daisy, iris, lily, and others has aster, daisy"):
        list(tasks.resume(tmp_path / "flowers.safetensors", changes=changes))


def test_what_cannot_be_exported(run: RunFolder, tmp_path: Path, small_files) -> None:
    with pytest.raises(FlowerError, match=r"flowers\.h5 has no ending that says"):
        list(tasks.export(run.path, tmp_path / "flowers.h5"))
    with pytest.raises(FlowerError, match=r"best\.pth is a checkpoint of a run"):
        list(tasks.export(run.path, run.best))
    with pytest.raises(FlowerError, match=r"last\.pth is a checkpoint of a run"):
        list(tasks.export(run.path, run.last))
    with pytest.raises(FlowerError, match=r"There is no file .*none\.pth"):
        list(tasks.export(tmp_path / "none.pth", run.last))
    for name in ("flowers.pth", "flowers.safetensors"):
        with small_files(20_000), pytest.raises(FlowerError, match="can't be written into"):
            list(tasks.export(run.path, tmp_path / name))
    assert list(tmp_path.iterdir()) == []
