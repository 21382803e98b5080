"""A trained network as a file: it answers as the checkpoint does, here and elsewhere."""

import json
import multiprocessing
import shutil
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
import pytest
import safetensors.torch
import torch

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Event, Exported, Finished, Predicted, Preparing, RunStarted, Warned
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data.dataset import eval_transform
from flowergui.learning.inference import onnx_export, predictor
from flowergui.learning.models.build import build
from flowergui.requests import DEFAULT_EXPORT, ExportOptions
from flowergui.store.run_folder import RunFolder

Little = Callable[..., Recipe]


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    recipe = Recipe(
        photos=str(folder), mode="scratch", model="mynet", image_size=32, epochs=2, batch_size=6,
        ema=0.5, device="cpu", precision="float32",
    )  # fmt: skip
    *_, done = tasks.train(recipe, models=tmp_path_factory.mktemp("models"))
    assert isinstance(done, Finished)
    return RunFolder(Path(done.run))


def guesses(source: Path, photo: Path) -> list[tuple[str, float]]:
    (guessed,) = tasks.predict(source, [photo])
    assert isinstance(guessed, Predicted)
    return [(each.name, each.probability) for each in guessed.predictions]


def test_safetensors_answer_as_the_checkpoint_does(run: RunFolder, folder: Path, tmp_path: Path):
    out = tmp_path / "new" / "flowers.safetensors"
    assert list(tasks.export(run.path, out)) == [Exported(str(out))]
    photo = next(folder.rglob("*.jpg"))
    assert guesses(out, photo) == guesses(run.best, photo)
    averaged = checkpoint.read(run.best)["ema"]
    elsewhere = safetensors.torch.load_file(out)
    assert all(torch.equal(elsewhere[name], averaged[name]) for name in averaged)


@pytest.fixture(scope="module")
def exported(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx") / "flowers.onnx"
    drawn = torch.get_rng_state()
    *waiting, last = tasks.export(run.path, out)
    assert {type(each) for each in waiting} == {Preparing}
    assert last == Exported(str(out))
    assert torch.equal(torch.get_rng_state(), drawn)  # a training beside it goes on the same
    return out


def test_onnx_answers_as_the_checkpoint_does(run: RunFolder, exported: Path, folder: Path) -> None:
    session = onnxruntime.InferenceSession(exported)
    facts = session.get_modelmeta().custom_metadata_map
    classes, size = json.loads(facts["classes"]), int(facts["image_size"])
    assert (tuple(classes), size) == (run.classes(), 32)
    photos = sorted(folder.rglob("*.jpg"))[:3]
    squares = np.stack([eval_transform(size)(photo) for photo in photos])
    images = squares.transpose(0, 3, 1, 2).astype(np.float32) / 255
    (answers,) = session.run(None, {"images": images})
    for photo, answer in zip(photos, answers, strict=True):
        named = dict(zip(classes, answer.tolist(), strict=True))
        assert named == pytest.approx(dict(guesses(run.best, photo)), abs=1e-5)


def test_onnx_of_the_network_whose_weights_are_installed(
    little: Little, folder: Path, tmp_path: Path
) -> None:
    """It pads unevenly where it halves the resolution: at even sizes and at odd ones."""
    recipe = little(
        mode="transfer", model="efficientnet_lite0", frozen=("all-but-head",), epochs=1,
        image_size=72,
    )  # fmt: skip
    *_, done = tasks.train(recipe)
    *_, last = tasks.export(done.run, tmp_path / "lite.onnx")
    assert isinstance(last, Exported)
    session = onnxruntime.InferenceSession(tmp_path / "lite.onnx")
    classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    photos = sorted(folder.rglob("*.jpg"))[:3]
    squares = np.stack([eval_transform(72)(photo) for photo in photos])
    images = squares.transpose(0, 3, 1, 2).astype(np.float32) / 255
    (answers,) = session.run(None, {"images": images})
    for photo, answer in zip(photos, answers, strict=True):
        named = dict(zip(classes, answer.tolist(), strict=True))
        assert named == pytest.approx(dict(guesses(Path(done.run), photo)), abs=1e-3)


def test_an_onnx_file_that_answers_otherwise_is_refused(run: RunFolder, exported: Path) -> None:
    other = onnx_export._Portable(predictor.load(run.best))
    onnx_export._check(exported.read_bytes(), other)
    other.mean = other.mean + 10
    with pytest.raises(FlowerError, match="would not predict as the network does"):
        onnx_export._check(exported.read_bytes(), other)


def test_an_export_that_is_given_up_leaves_nothing(run: RunFolder, tmp_path: Path) -> None:
    out = tmp_path / "flowers.onnx"
    job = cast(Generator[Event, None, None], tasks.export(run.path, out))
    next(job)
    (process,) = multiprocessing.active_children()
    job.close()
    assert not process.is_alive()
    assert not out.exists()


def test_a_run_may_replace_the_checkpoint_while_it_is_exported(
    run: RunFolder, exported: Path, tmp_path: Path
) -> None:
    path, out = tmp_path / "best.pth", tmp_path / "flowers.onnx"
    shutil.copy(run.best, path)
    stored = checkpoint.read(path)
    bias = next(each for each in reversed(stored["ema"].values()) if each.ndim == 1)
    for number, event in enumerate(tasks.export(path, out)):
        bias[0] = 0.05 * number
        if isinstance(event, Preparing):
            checkpoint.write(stored, path)
    images = {"images": np.full((1, 3, 32, 32), 0.5, dtype=np.float32)}
    answers = [onnxruntime.InferenceSession(each).run(None, images)[0] for each in (out, exported)]
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)


def test_a_defect_in_tracing_is_told(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    onnx_export._trace_into(tmp_path / "none.pth", theirs)
    assert "There is no file" in ours.recv()
    monkeypatch.setattr(onnx_export, "_trace_into", print)  # ends without having sent anything
    with pytest.raises(RuntimeError, match="has died"):
        list(tasks.export(run.path, tmp_path / "flowers.onnx"))


def test_what_onnx_takes_is_named_where_it_is_missing(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "flowers.onnx"
    monkeypatch.setattr(onnx_export, "PACKAGES", ("json", "no_such_package"))
    with pytest.raises(FlowerError, match="have to be installed: no_such_package"):
        list(tasks.export(run.path, out))
    monkeypatch.setattr(onnx_export, "PACKAGES", ())
    monkeypatch.setattr(onnx_export, "MAX_BYTES", 1_000)
    with pytest.raises(FlowerError, match="too large for an"):
        list(tasks.export(run.path, out))
    assert not out.exists()


def test_a_plain_state_dict_for_other_programs(run: RunFolder, tmp_path: Path) -> None:
    list(tasks.export(run.best, tmp_path / "flowers.pth"))
    net = build("mynet", 3, 32)
    net.load_state_dict(torch.load(tmp_path / "flowers.pth", weights_only=True))


PREDICTS = ExportOptions(with_classes=True)
SMALL = ExportOptions(with_classes=True, float16=True)


def test_a_checkpoint_with_all_that_predictions_need(
    run: RunFolder, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "flowers.pth"
    list(tasks.export(run.path, out, PREDICTS))
    photo = next(folder.rglob("*.jpg"))
    assert guesses(out, photo) == guesses(run.best, photo)
    assert (
        out.stat().st_size < run.best.stat().st_size / 2
    )  # no optimizer state, one set of weights
    elsewhere = torch.load(out, weights_only=True)
    net = build("mynet", 3, 32)
    net.load_state_dict(elsewhere["model"])
    assert tuple(elsewhere["classes"]) == run.classes()


@pytest.mark.parametrize("name", ["flowers.safetensors", "flowers.pth"])
def test_classes_have_their_present_names(run: RunFolder, tmp_path: Path, name: str) -> None:
    """A run that is resumed may rename some; its best.pth may be older."""
    renamed = RunFolder(tmp_path / "run")
    shutil.copytree(run.path, renamed.path)
    rows = [(path, label.replace("iris", "violet"), part) for path, label, part in renamed.split()]
    renamed.write_split(("daisy", "violet", "lily"), rows, Path(run.recipe().photos))
    out = tmp_path / name
    list(tasks.export(renamed.path, out, PREDICTS))
    assert predictor.load(out).classes == ("daisy", "violet", "lily")
    list(tasks.export(run.path, out, PREDICTS))
    assert predictor.load(out).classes == ("daisy", "iris", "lily")


@pytest.mark.parametrize("name", ["flowers.safetensors", "flowers.pth"])
def test_float16_halves_the_size(run: RunFolder, folder: Path, tmp_path: Path, name: str) -> None:
    whole, half = tmp_path / name, tmp_path / f"half-{name}"
    list(tasks.export(run.path, whole, PREDICTS))
    list(tasks.export(run.path, half, SMALL))
    assert half.stat().st_size < 0.52 * whole.stat().st_size
    for photo in sorted(folder.rglob("*.jpg"))[:5]:
        wanted = dict(guesses(run.best, photo))
        assert dict(guesses(half, photo)) == pytest.approx(wanted, abs=2e-3)
    weights = checkpoint.read(half)["model"]
    averaged = checkpoint.read(run.best)["ema"]
    for key, tensor in averaged.items():
        assert weights[key].dtype == tensor.dtype
        if tensor.ndim < 2:  # of batch normalization: its variances may be large
            assert torch.equal(weights[key], tensor)


def test_float16_is_refused_where_it_would_lose_values(run: RunFolder, tmp_path: Path) -> None:
    stored = torch.load(run.best, weights_only=True)
    name = next(key for key, each in stored["ema"].items() if each.ndim == 4)
    stored["ema"][name][0, 0, 0, 0] = 1e5
    torch.save(stored, tmp_path / "large.pth")
    with pytest.raises(FlowerError, match=f"{name} has values that are too large for float16"):
        list(tasks.export(tmp_path / "large.pth", tmp_path / "out.pth", SMALL))
    with pytest.raises(FlowerError, match="An ONNX file is written in float32 only"):
        list(tasks.export(run.path, tmp_path / "out.onnx", SMALL))
    list(tasks.export(run.path, tmp_path / "bare.pth"))
    with pytest.raises(FlowerError, match="its classes are not known"):
        list(tasks.export(tmp_path / "bare.pth", tmp_path / "out.pth", PREDICTS))
    assert not (tmp_path / "out.pth").exists()


def test_float16_predicts_real_photos_as_well(flower_photos: Path, tmp_path: Path) -> None:
    """Within 0.2 points of accuracy, here on all photos: trained on or not, both are compared."""
    recipe = Recipe(
        photos=str(flower_photos), mode="transfer", model="efficientnet_lite0", epochs=1,
        image_size=128, training_size=0, first_training_size=0, frozen=("all-but-head",),
        precision="float32", device="cpu", ema=0.0, fit_head=True,
    )  # fmt: skip
    *_, done = tasks.train(recipe, models=tmp_path / "models")
    assert isinstance(done, Finished)
    sources = [Path(done.run), tmp_path / "half.pth"]
    list(tasks.export(sources[0], sources[1], SMALL))
    photos = sorted(flower_photos.rglob("*.jpg"))[::3]
    right = [
        sum(
            event.best.name == Path(event.path).parent.name
            for event in tasks.predict(source, photos, device="cpu")
            if isinstance(event, Predicted)
        )
        for source in sources
    ]
    assert right[0] > 0.8 * len(photos)
    assert abs(right[1] - right[0]) <= 0.002 * len(photos)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("flowers.safetensors", DEFAULT_EXPORT),
        ("flowers.pth", DEFAULT_EXPORT),
        ("flowers.pth", SMALL),
        ("flowers.safetensors", SMALL),
    ],
)
def test_what_was_exported_can_be_gone_on_with_and_transferred_from(
    run: RunFolder, little: Little, tmp_path: Path, name: str, options: ExportOptions
) -> None:
    out = tmp_path / name
    list(tasks.export(run.path, out, options))
    changes = {**asdict(little(epochs=1)), "frozen": ()}
    events = list(tasks.resume(out, changes=changes))
    assert any("holds weights alone" in e.message for e in events if isinstance(e, Warned))
    events = list(tasks.train(little(mode="transfer", weights=str(out), epochs=1)))
    assert isinstance(events[-1], Finished)
    opened = next(event for event in events if isinstance(event, RunStarted))
    assert opened.mode == "transfer"


def test_weights_of_other_classes_are_not_gone_on_with(
    run: RunFolder, little: Little, make_photos, tmp_path: Path
) -> None:
    list(tasks.export(run.path, tmp_path / "flowers.safetensors"))
    others = make_photos(tmp_path / "others", classes=3)
    (others / "iris").rename(others / "aster")
    changes = {**asdict(little(photos=str(others))), "frozen": ()}
    with pytest.raises(FlowerError, match="daisy, iris, lily, and others has aster, daisy"):
        list(tasks.resume(tmp_path / "flowers.safetensors", changes=changes))


def test_what_cannot_be_exported(run: RunFolder, tmp_path: Path, small_files) -> None:
    with pytest.raises(FlowerError, match=r"flowers\.h5 has no suffix of a format"):
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
