"""Guesses: ranked, by the checkpoint that says so, and never in the way of each other."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Finished, Predicted, PredictionFailed
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.models import network
from flowergui.store.run_folder import RunFolder


@pytest.fixture(scope="module")
def run(make_photos, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two classes, learned well."""
    home = tmp_path_factory.mktemp("predictor")
    recipe = Recipe(
        photos=str(make_photos(home / "photos", classes=3, per_class=10)),
        model="mynet",
        image_size=32,
        epochs=8,
        batch_size=8,
        device="cpu",
        precision="float32",
        ema=0.9,
    )
    last = list(tasks.train(recipe, models=home / "models"))[-1]
    assert isinstance(last, Finished)
    assert last.best_accuracy == 1.0
    return RunFolder(Path(last.run))


@pytest.fixture
def photo(run: RunFolder) -> Path:
    return Path(run.recipe().photos) / "iris" / "iris_3.jpg"


def test_guesses_are_ranked(run: RunFolder, photo: Path) -> None:
    (guessed,) = tasks.predict(run.path, [photo])
    assert isinstance(guessed, Predicted)
    assert (guessed.path, guessed.checkpoint) == (str(photo), str(run.best))
    shares = [guess.probability for guess in guessed.predictions]
    assert guessed.predictions[0].name == "iris"
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    assert {guess.name for guess in guessed.predictions} == {"daisy", "iris", "lily"}
    assert 1 <= guessed.epoch <= 8


def test_nine_of_ten_are_right(run: RunFolder) -> None:
    photos = sorted(Path(run.recipe().photos).rglob("*.jpg"))
    guesses = list(tasks.predict(run.best, photos))
    assert [guess.path for guess in guesses] == [str(path) for path in photos]
    right = sum(
        guess.predictions[0].name == path.parent.name
        for guess, path in zip(guesses, photos, strict=True)
    )
    assert right >= 27


def test_five_guesses_at_most(little: Callable[..., Recipe], make_photos, tmp_path: Path) -> None:
    net = network.build("mynet", 7, 32)
    content = {"format": checkpoint.FORMAT, "recipe": little().as_dict(), "image_size": 32}
    content |= {"classes": [f"class {n}" for n in range(7)], "model": net.state_dict()}
    checkpoint.write(content, tmp_path / "seven.pth")
    photo = next(make_photos(tmp_path / "photos", classes=2, per_class=1).rglob("*.jpg"))
    (guessed,) = tasks.predict(tmp_path / "seven.pth", [photo])
    assert len(guessed.predictions) == 5
    assert 0.6 < sum(guess.probability for guess in guessed.predictions) < 1


def test_what_cannot_be_read_stops_no_other(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("a flower")
    images = [tmp_path / "text.jpg", photo, tmp_path / "gone.jpg"]
    text, good, gone = tasks.predict(run.best, images)
    assert text == PredictionFailed(
        str(images[0]), "text.jpg can't be read: its content is no picture of a known kind."
    )
    assert isinstance(good, Predicted)
    assert isinstance(gone, PredictionFailed)


def test_a_turned_camera_changes_no_guess(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(photo) as upright:
        upright.save(tmp_path / "upright.png")
        upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    upright_guess, turned = tasks.predict(
        run.best, [tmp_path / "upright.png", tmp_path / "turned.png"]
    )
    assert turned.predictions == upright_guess.predictions


def test_nothing_is_drawn(run: RunFolder, photo: Path) -> None:
    torch.manual_seed(8)
    state = torch.get_rng_state()
    list(tasks.predict(run.last, [photo]))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_new_checkpoint_at_the_same_place_is_seen(run: RunFolder, photo: Path, tmp_path) -> None:
    stored = checkpoint.read(run.best)
    path = tmp_path / "best.pth"
    checkpoint.write(stored, path)
    before = list(tasks.predict(path, [photo]))
    checkpoint.write({**stored, "classes": ["rose", "tulip", "aster"]}, path)
    after = list(tasks.predict(path, [photo]))
    assert [before[0].predictions[0].name, after[0].predictions[0].name] == ["iris", "tulip"]


def test_a_run_answers_with_the_best_that_it_has(run: RunFolder, photo: Path, tmp_path) -> None:
    young = RunFolder(tmp_path)
    with pytest.raises(FlowerError, match="has no checkpoint yet"):
        list(tasks.predict(young.path, [photo]))
    young.last.write_bytes(run.last.read_bytes())
    assert next(tasks.predict(young.path, [photo])).checkpoint == str(young.last)
    young.best.write_bytes(run.best.read_bytes())
    assert next(tasks.predict(young.path, [photo])).checkpoint == str(young.best)


def test_what_cannot_answer(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    with pytest.raises(FlowerError, match="There is no file"):
        list(tasks.predict(path, [photo]))
    torch.save(network.build("mynet", 3, 32).state_dict(), path)
    with pytest.raises(FlowerError, match=r"x\.pth holds weights alone"):
        list(tasks.predict(path, [photo]))
    stored = checkpoint.read(run.best)
    checkpoint.write({**stored, "classes": ["rose", "tulip"]}, path)
    with pytest.raises(FlowerError, match=r"x\.pth does not fit its own network"):
        list(tasks.predict(path, [photo]))


def test_a_network_whose_numbers_went_wrong_says_so(
    run: RunFolder, photo: Path, tmp_path: Path
) -> None:
    stored = checkpoint.read(run.best)
    for name, tensor in (stored["ema"] or stored["model"]).items():
        if name.endswith("running_var"):
            tensor.fill_(-1.0)
    torch.save(stored, tmp_path / "wrong.pth")
    with pytest.raises(FlowerError, match=r"wrong\.pth gives no numbers"):
        list(tasks.predict(tmp_path / "wrong.pth", [photo]))


def test_a_path_through_a_file_is_no_checkpoint(run: RunFolder, photo: Path) -> None:
    with pytest.raises(FlowerError, match="There is no file"):
        list(tasks.predict(run.best / "x", [photo]))
