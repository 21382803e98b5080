"""The tasks that a frontend can start; what they do is tested in tests/learning."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import ClassListed, ModelDescribed, ModelsListed, SampleDrawn, Scanned
from flowergui.store import library
from flowergui.store.run_folder import RunFolder


def test_nothing_happens_until_a_task_is_iterated(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    tasks.inspect(nowhere)
    tasks.train(Recipe(photos=str(nowhere)))
    tasks.resume(nowhere)
    tasks.predict(nowhere, [nowhere])
    tasks.sample(nowhere)
    assert not nowhere.exists()


def test_importing_the_tasks_imports_neither_torch_nor_qt() -> None:
    code = (
        "import sys, flowergui.tasks; "
        "print([m for m in ('torch', 'torchvision', 'PySide6', 'numpy') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (answer.stdout.strip(), answer.stderr) == ("[]", "")


def test_sample_then_inspect(tmp_path: Path) -> None:
    drawn = list(tasks.sample(tmp_path / "flowers", photos_per_class=2))[-1]
    assert drawn == SampleDrawn(str(tmp_path / "flowers"))
    scanned = list(tasks.inspect(drawn.folder))[-1]
    assert isinstance(scanned, Scanned)
    assert len(scanned.classes) >= 5
    assert {each.train for each in scanned.classes} == {2}


def test_catalogue_and_describe() -> None:
    (catalogued,) = tasks.list_models()
    assert isinstance(catalogued, ModelsListed)
    listed = {facts.name: facts for facts in catalogued.models}
    assert "resnet18" in listed
    assert listed["efficientnet_lite0"].local
    assert not listed["mynet"].local
    (described,) = tasks.describe_model("mynet", 4)
    assert isinstance(described, ModelDescribed)
    assert (described.class_count, described.image_size) == (4, 96)


def test_weights_that_are_saved_are_on_this_machine(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def local(model: str) -> bool:
        (listed,) = tasks.list_models()
        return next(facts for facts in listed.models if facts.name == model).local

    models.mkdir()
    assert not local("vgg19")
    (models / "vgg19.pth").touch()
    assert local("vgg19")
    assert not local("vgg19_bn")


def test_train_refuses_an_impossible_recipe() -> None:
    with pytest.raises(FlowerError, match="Epochs must lie between"):
        list(tasks.train(Recipe(epochs=0)))


def test_runs_are_listed_newest_first(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert library.runs() == []
    for day in ("01", "03", "02"):
        run = RunFolder(models / f"2026-01-{day}_mynet_scratch")
        run.path.mkdir(parents=True)
        run.write_recipe(Recipe(epochs=int(day)))
    (models / "2026-02-01_broken").mkdir()
    (models / "2026-02-01_broken" / "recipe.json").write_text("{")
    (models / "no run").mkdir()
    with caplog.at_level(logging.WARNING):
        assert [facts.recipe.epochs for facts in library.runs()] == [3, 2, 1]
    assert "broken can't be listed" in caplog.text


def test_the_newest_run_is_the_newest_with_a_checkpoint(models: Path) -> None:
    with pytest.raises(FlowerError, match="no run to resume"):
        library.newest_run(models)
    for day in ("01", "02", "03"):
        run = RunFolder(models / f"2026-01-{day}_mynet_scratch")
        run.path.mkdir(parents=True)
        run.write_recipe(Recipe())
        if day != "03":
            run.last.touch()
    assert library.newest_run(models).name.startswith("2026-01-02")


def test_the_images_of_a_class_are_listed(make_photos, tmp_path):
    folder = make_photos(tmp_path / "photos", classes=2, per_class=3)
    (listed,) = [each for each in tasks.list_class(folder, "iris") if isinstance(each, ClassListed)]
    assert listed.paths == tuple(str(folder / "iris" / f"iris_{n}.jpg") for n in range(3))
    with pytest.raises(FlowerError):
        list(tasks.list_class(tmp_path / "nowhere", "iris"))


def test_devices_are_described():
    (told,) = tasks.describe_devices()
    assert told.devices[0].startswith("CPU: ")
