"""How well a checkpoint does on photos that it has not learned from."""

import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import (
    EpochDone,
    Evaluated,
    Event,
    Finished,
    PhotoEvaluated,
    Preparing,
    Warned,
)
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.inference import predictor
from flowergui.learning.inference.batch_inference import BatchInference
from flowergui.learning.models.build import build
from flowergui.requests import ResumeOptions
from flowergui.store.run_folder import RunFolder


def trained(recipe: Recipe, models: Path) -> tuple[RunFolder, list[Event]]:
    events = list(tasks.train(recipe, models=models))
    assert isinstance(events[-1], Finished)
    return RunFolder(Path(events[-1].run)), events


@pytest.fixture(scope="module")
def run(make_photos, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Three classes, not learned well: some of 36 photos, in two batches, are mistaken."""
    home = tmp_path_factory.mktemp("evaluation")
    recipe = Recipe(
        photos=str(make_photos(home / "photos", classes=3, per_class=60)),
        mode="scratch",
        model="mynet",
        image_size=32,
        epochs=1,
        batch_size=32,
        learning_rate=0.0003,
        device="cpu",
        precision="float32",
        ema=0.9,
    )
    return trained(recipe, home / "models")[0]


@pytest.fixture
def photos(run: RunFolder) -> Path:
    return Path(run.recipe().photos)


def evaluated(*wishes: object) -> tuple[list[PhotoEvaluated], Evaluated]:
    events = list(tasks.evaluate(*wishes))
    assert isinstance(events[-1], Evaluated)
    return [event for event in events if isinstance(event, PhotoEvaluated)], events[-1]


def validation_set(run: RunFolder) -> list[str]:
    return [path for path, _, part in run.split() if part == "validation"]


def test_it_says_what_validation_said(run: RunFolder, photos: Path) -> None:
    images, result = evaluated(run.path)
    best = max(
        (event for event in run.history.events() if isinstance(event, EpochDone)),
        key=lambda event: (event.val_accuracy, -event.val_loss),
    )
    assert (result.accuracy, result.epoch) == (best.val_accuracy, best.epoch)
    assert result.loss == pytest.approx(best.val_loss, rel=1e-5)
    assert result.checkpoint == str(run.best)
    assert result.folder == str(photos)
    assert [each.path for each in images] == [str(photos / path) for path in validation_set(run)]
    assert 0 < result.accuracy < 1  # else this shows little


def test_figures_are_those_of_its_photos(run: RunFolder) -> None:
    images, result = evaluated(run.path)
    wrong = [each for each in images if not each.correct]
    assert result.photos == len(images) == sum(score.photos for score in result.classes)
    assert result.accuracy == sum(each.correct for each in images) / len(images)
    assert [score.name for score in result.classes] == ["daisy", "iris", "lily"]
    assert sum(each.photos for each in result.confusions) == len(wrong)
    assert set(result.most_confident_errors) <= set(wrong)
    assert len(result.most_confident_errors) == min(len(wrong), 10)
    assert [each.probability for each in result.most_confident_errors] == sorted(
        (each.probability for each in wrong), reverse=True
    )[:10]
    assert all(each.label == Path(each.path).parent.name for each in images)
    assert result.top5 is None  # of three classes it would say nothing


def test_each_photo_is_predicted_as_predict_does(run: RunFolder) -> None:
    images, _ = evaluated(run.path)
    guesses = list(tasks.predict(run.path, [each.path for each in images]))
    for each, guess in zip(images, guesses, strict=True):
        shares = {one.name: one.probability for one in guess.predictions}
        assert each.predicted == guess.predictions[0].name
        assert each.probability == pytest.approx(shares[each.predicted], abs=1e-5)
        assert each.label_probability == pytest.approx(shares[each.label], abs=1e-5)


def test_of_its_own_folder_only_unseen_photos_are_evaluated(run: RunFolder, photos: Path) -> None:
    by_default = evaluated(run.path)[1]
    assert by_default.trained_on == len(run.split()) - len(validation_set(run))
    assert evaluated(run.path, photos)[1] == by_default


def test_training_photos_are_recognised_in_another_folder(
    run: RunFolder, photos: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(photos, moved)
    learned = [path for path, _, part in run.split() if part == "train"]
    Image.new("RGB", (40, 40), "red").save(moved / learned[0])  # another photo of that name
    images, result = evaluated(run.path, moved)
    assert {each.path for each in images} == {
        str(moved / path) for path in (learned[0], *validation_set(run))
    }
    assert result.trained_on == len(learned) - 1
    for path in (learned[0], *validation_set(run)):
        (moved / path).unlink()
    with pytest.raises(FlowerError, match="was trained on every image in"):
        evaluated(run.path, moved)


def test_a_folder_of_other_photos(run: RunFolder, make_photos, tmp_path: Path) -> None:
    others = make_photos(tmp_path / "others", classes=4, per_class=3, side=50)
    (others / "iris" / "torn.jpg").write_text("no picture")
    images, result = evaluated(run.best, others)
    assert {each.label for each in images} == {"daisy", "iris", "lily"}
    assert result.photos == 9
    assert result.unknown_classes == ("rose",)
    assert result.trained_on == 0
    (problem,) = result.problems
    assert problem.path == "iris/torn.jpg"
    assert "not an image" in problem.reason


def test_a_single_class_will_do(run: RunFolder, make_photos, tmp_path: Path) -> None:
    others = make_photos(tmp_path / "others", classes=1, per_class=3, side=50)
    _, result = evaluated(run.path, others)
    assert [score.recall is None for score in result.classes] == [False, True, True]


def test_a_ready_split_is_asked_for_its_validation_photos(
    run: RunFolder, make_photos, tmp_path: Path
) -> None:
    make_photos(tmp_path / "split" / "train", classes=3, per_class=2)
    make_photos(tmp_path / "split" / "test", classes=3, per_class=3, side=50)
    images, _ = evaluated(run.path, tmp_path / "split")
    assert len(images) == 9
    assert all(Path(each.path).parent.parent.name == "test" for each in images)


def test_the_five_likeliest_count_where_there_are_more(tmp_path: Path, make_photos) -> None:
    folder = make_photos(tmp_path / "photos", classes=2, per_class=4)
    torch.manual_seed(1)
    names = ["a", "b", "c", "d", "daisy", "e", "f", "g", "h", "i", "iris"]
    content = {"format": checkpoint.FORMAT, "image_size": 32, "classes": names}
    content |= {"recipe": Recipe(mode="scratch", model="mynet").as_dict()}
    content |= {"model": build("mynet", 11, 32).state_dict()}
    checkpoint.write(content, tmp_path / "eleven.pth")
    images, result = evaluated(tmp_path / "eleven.pth", folder)
    guesses = tasks.predict(tmp_path / "eleven.pth", [each.path for each in images])
    among = [
        each.label in {one.name for one in guess.predictions}
        for each, guess in zip(images, guesses, strict=True)
    ]
    assert result.top5 == sum(among) / 8
    assert len(images) == 8


def test_it_reports_progress(run: RunFolder) -> None:
    told = [each for each in tasks.evaluate(run.path) if isinstance(each, Preparing)]
    assert [(each.done, each.total) for each in told] == [(32, 36), (36, 36)]


def test_no_random_number_is_drawn_and_the_network_stays(run: RunFolder) -> None:
    (before,) = tasks.predict(run.path, [next(Path(run.recipe().photos).rglob("*.jpg"))])
    torch.manual_seed(8)
    state = torch.get_rng_state()
    evaluated(run.path)
    assert torch.equal(torch.get_rng_state(), state)
    (after,) = tasks.predict(run.path, [before.path])
    assert after == before


def test_an_export_is_evaluated_too(run: RunFolder, photos: Path, tmp_path: Path) -> None:
    list(tasks.export(run.path, tmp_path / "flowers.safetensors"))
    _, result = evaluated(tmp_path / "flowers.safetensors", photos)
    assert (result.photos, result.trained_on) == (180, None)  # nobody knows


def test_what_is_left_out_is_named(run: RunFolder, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "iris"
    folder.mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(folder / "1.png")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "2.CR2").write_bytes(b"raw")
    events = list(tasks.evaluate(run.path, folder.parent))
    assert [event.message for event in events if isinstance(event, Warned)] == [
        "Left out: iris/pipe.jpg: it is a named pipe, not a file.",
        "Left out: iris/2.CR2: .cr2 files are not read; convert them to JPEG or PNG.",
    ]
    assert events[-1].photos == 1


def test_a_class_may_be_spelled_in_other_ways(run: RunFolder, tmp_path: Path) -> None:
    """Systems compose letters or not, and nobody sees a space at the end of a name."""
    known = unicodedata.normalize("NFD", "é")
    stored = checkpoint.read(run.best)
    stored["classes"] = [known, *stored["classes"][1:]]
    checkpoint.write(stored, tmp_path / "alone.pth")
    for name in (unicodedata.normalize("NFC", known), f"{known} "):
        folder = tmp_path / name / name
        folder.mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(folder / "1.png")
        (photo,) = evaluated(tmp_path / "alone.pth", folder.parent)[0]
        assert photo.label == known


def test_what_cannot_be_is_refused(
    run: RunFolder, little: Callable[..., Recipe], make_photos, tmp_path: Path
) -> None:
    shutil.copy(run.best, tmp_path / "alone.pth")
    with pytest.raises(FlowerError, match=r"alone\.pth is not in a run folder"):
        evaluated(tmp_path / "alone.pth")
    with pytest.raises(FlowerError, match="There is no folder"):
        evaluated(run.path, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FlowerError, match="There are no images in"):
        evaluated(run.path, tmp_path / "empty")
    (tmp_path / "strange" / "oak").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "strange" / "oak" / "1.png")
    with pytest.raises(FlowerError, match=r"knows none of the classes in .*: oak"):
        evaluated(run.path, tmp_path / "strange")
    (tmp_path / "torn" / "iris").mkdir(parents=True)
    (tmp_path / "torn" / "iris" / "1.jpg").write_text("no picture")
    with pytest.raises(FlowerError, match=r"No image in .* can be read \(iris/1\.jpg: "):
        evaluated(run.path, tmp_path / "torn")


def test_a_run_whose_photos_have_gone_says_so(
    little: Callable[..., Recipe], make_photos, tmp_path: Path, models: Path
) -> None:
    folder = make_photos(tmp_path / "photos", classes=2, per_class=4)
    other, _ = trained(little(photos=str(folder)), models)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(FlowerError, match=r"are no longer in"):
        evaluated(other.path)
    assert evaluated(other.path, tmp_path / "elsewhere")[1].photos == 2


# --- what it has learned from -----------------------------------------------------------------


def test_training_photos_are_recognised_in_a_subfolder_too(
    little: Callable[..., Recipe], make_photos, tmp_path: Path, models: Path
) -> None:
    make_photos(tmp_path / "split" / "train", classes=2, per_class=4)
    make_photos(tmp_path / "split" / "val", classes=2, per_class=3, side=40)
    other, _ = trained(little(photos=str(tmp_path / "split")), models)
    with pytest.raises(FlowerError, match="was trained on every image in"):
        evaluated(other.path, tmp_path / "split" / "train")
    assert evaluated(other.path, tmp_path / "split")[1].photos == 6
    assert evaluated(other.path, tmp_path / "split" / "val")[1].trained_on == 0
    (tmp_path / "link").symlink_to(tmp_path / "split" / "train")
    with pytest.raises(FlowerError, match="was trained on every image in"):
        evaluated(other.path, tmp_path / "link")


def test_a_file_of_the_same_name_and_size_is_another_where_its_content_is(
    little: Callable[..., Recipe], tmp_path: Path, models: Path
) -> None:
    for folder, colours in (("one", ("red", "blue")), ("two", ("green", "white"))):
        for name, colour in zip(("daisy", "iris"), colours, strict=True):
            (tmp_path / folder / name).mkdir(parents=True)
            for number in range(4):
                picture = Image.new("RGB", (32, 32 + number), colour)
                picture.save(tmp_path / folder / name / f"{number}.bmp")
    other, _ = trained(little(photos=str(tmp_path / "one")), models)
    assert evaluated(other.path, tmp_path / "two")[1].trained_on == 0
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    assert evaluated(other.path, tmp_path / "copy")[1].photos == len(validation_set(other))


def test_a_label_that_is_mended_counts(
    little: Callable[..., Recipe], make_photos, tmp_path: Path, models: Path
) -> None:
    folder = make_photos(tmp_path / "photos", classes=2, per_class=10)
    other, _ = trained(little(photos=str(folder)), models)
    wrong = next(path for path in validation_set(other) if path.startswith("daisy/"))
    learned = next(path for path, _, part in other.split() if part == "train")
    for path in (wrong, learned):
        (folder / path).rename(folder / "iris" / f"{Path(path).name}")
    images, result = evaluated(other.path)
    moved = next(each for each in images if Path(each.path).name == Path(wrong).name)
    assert moved.label == "iris"
    assert not result.problems
    again, _ = evaluated(other.path, folder)
    assert {each.path for each in again} == {each.path for each in images}


def test_a_class_that_is_renamed_is_known_by_its_new_name(
    little: Callable[..., Recipe], make_photos, tmp_path: Path, models: Path
) -> None:
    folder = make_photos(tmp_path / "photos", classes=2, per_class=10)
    other, _ = trained(little(photos=str(folder)), models)
    before = evaluated(other.path)[1]
    (folder / "iris").rename(folder / "violet")
    resumption = ResumeOptions(renamed=(("iris", "violet"),))
    changes = {"epochs": 3, "learning_rate": 1e-8}
    list(tasks.resume(other.path, changes=changes, options=resumption))
    assert checkpoint.read(other.best)["classes"] == ["daisy", "iris"]  # no better one came
    after = evaluated(other.path)[1]
    assert [score.name for score in after.classes] == ["daisy", "violet"]
    assert (after.accuracy, after.photos, after.unknown_classes) == (before.accuracy, 4, ())


def test_an_image_that_was_renamed_when_it_was_moved_is_recognised(
    little: Callable[..., Recipe], make_photos, tmp_path: Path, models: Path
) -> None:
    """Its name was taken in the folder of the other class."""
    folder = make_photos(tmp_path / "photos", classes=2, per_class=10)
    for path in folder.rglob("*.jpg"):
        path.rename(path.with_name(path.name.partition("_")[2]))
    other, _ = trained(little(photos=str(folder)), models)
    first, _ = trained(little(photos=str(folder), seed=1), models)
    before = {each.path for each in evaluated(other.path, folder)[0]}
    learned = next(path for path, _, part in other.split() if part == "train")
    unseen = next(path for path in validation_set(other) if path.startswith("daisy/"))
    moved = []
    for path in (learned, unseen):
        (event,) = tasks.correct_label(folder / path, folder, "daisy", "iris", first.last)
        moved.append(event.moved_to)
    assert [Path(path).stem.endswith(" (2)") for path in moved] == [True, True]
    wanted = before - {str(folder / unseen)} | {moved[1]}
    for images, result in (evaluated(other.path), evaluated(other.path, folder)):
        assert {each.path for each in images} == wanted
        assert not result.problems


def test_another_image_of_the_run_never_stands_for_one_that_is_gone(
    little: Callable[..., Recipe], tmp_path: Path, models: Path
) -> None:
    """Of the same name and size, as uncompressed images of two classes may be."""
    chance = np.random.default_rng(0)
    for name in ("daisy", "iris"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(8):
            pixels = chance.integers(0, 255, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.bmp")
    other, _ = trained(little(photos=str(tmp_path / "photos")), models)
    gone, *left = validation_set(other)
    (tmp_path / "photos" / gone).unlink()
    images, result = evaluated(other.path)
    assert {each.path for each in images} == {str(tmp_path / "photos" / path) for path in left}
    assert [problem.path for problem in result.problems] == [gone]


# --- how it computes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": "nonsense"},
        {"precision": None},
        {"device": "npu9x:1"},
        {"precision": "load"},
        {"recipe": {"model": "mynet", "optimizer": "lion", "batch_size": 1}},
    ],
)
def test_a_checkpoint_of_a_later_version_still_predicts(
    run: RunFolder, photos: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    checkpoint.write({**checkpoint.read(run.best), **changes}, tmp_path / "later.pth")
    images, _ = evaluated(tmp_path / "later.pth", photos)
    (guess,) = tasks.predict(tmp_path / "later.pth", [images[0].path])
    assert guess.predictions[0].name == images[0].predicted


def test_it_computes_in_the_precision_of_its_training(
    run: RunFolder, photos: Path, tmp_path: Path
) -> None:
    stored = {**checkpoint.read(run.best), "precision": "bfloat16"}
    checkpoint.write(stored, tmp_path / "rough.pth")
    rough, _ = evaluated(tmp_path / "rough.pth", photos)
    shutil.copy(run.best, tmp_path / "fine.pth")
    fine, _ = evaluated(tmp_path / "fine.pth", photos)
    differ = [abs(a.probability - b.probability) for a, b in zip(rough, fine, strict=True)]
    assert 1e-6 < max(differ) < 0.05


def test_the_network_that_predicts_stays_on_its_device(run: RunFolder) -> None:
    """Another thread may be using it: a network on another device is a copy."""
    trained = predictor.load(run.best)
    inference = BatchInference(trained, torch.device("meta"))
    assert next(inference.net.parameters()).device.type == "meta"
    assert next(trained.net.parameters()).device.type == "cpu"


def test_too_little_memory_is_said(run: RunFolder, monkeypatch) -> None:
    def no_room(self, images):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")

    monkeypatch.setattr(type(predictor.load(run.best).net), "forward", no_room)
    with pytest.raises(FlowerError, match="not enough memory to run the network"):
        evaluated(run.best)
