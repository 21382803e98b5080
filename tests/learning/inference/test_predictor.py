"""Predictions: ranked, in batches, by the checkpoint and on the device that were chosen."""

import gc
import shutil
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from PIL import Image

from flowergui import tasks
from flowergui.cli import commands
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Finished, Predicted, PredictionFailed
from flowergui.learning.checkpoints import checkpoint
from flowergui.learning.data import image_io
from flowergui.learning.data.photos import Photo
from flowergui.learning.inference import batch_inference, grad_cam, predictor
from flowergui.learning.inference.batch_inference import BATCH_SIZE, BatchInference
from flowergui.learning.models.build import build
from flowergui.store.run_folder import RunFolder


@pytest.fixture(scope="module")
def run(make_photos, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two classes, learned well."""
    home = tmp_path_factory.mktemp("predictor")
    recipe = Recipe(
        photos=str(make_photos(home / "photos", classes=3, per_class=10)),
        mode="scratch",
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


def test_predictions_are_ranked(run: RunFolder, photo: Path) -> None:
    (predicted,) = tasks.predict(run.path, [photo])
    assert isinstance(predicted, Predicted)
    assert (predicted.path, predicted.checkpoint) == (str(photo), str(run.best))
    shares = [prediction.probability for prediction in predicted.predictions]
    assert predicted.predictions[0].name == "iris"
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    assert {prediction.name for prediction in predicted.predictions} == {"daisy", "iris", "lily"}
    assert 1 <= predicted.epoch <= 8


def test_nine_of_ten_are_right(run: RunFolder) -> None:
    photos = sorted(Path(run.recipe().photos).rglob("*.jpg"))
    predictions = list(tasks.predict(run.best, photos))
    assert [prediction.path for prediction in predictions] == [str(path) for path in photos]
    right = sum(
        prediction.predictions[0].name == path.parent.name
        for prediction, path in zip(predictions, photos, strict=True)
    )
    assert right >= 27


def test_five_predictions_at_most(
    little: Callable[..., Recipe], make_photos, tmp_path: Path
) -> None:
    net = build("mynet", 7, 32)
    content = {"format": checkpoint.FORMAT, "recipe": little().as_dict(), "image_size": 32}
    content |= {"classes": [f"class {n}" for n in range(7)], "model": net.state_dict()}
    checkpoint.write(content, tmp_path / "seven.pth")
    photo = next(make_photos(tmp_path / "photos", classes=2, per_class=1).rglob("*.jpg"))
    (predicted,) = tasks.predict(tmp_path / "seven.pth", [photo])
    assert len(predicted.predictions) == 5
    assert 0.6 < sum(prediction.probability for prediction in predicted.predictions) < 1


def test_what_cannot_be_read_stops_no_other(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("a flower")
    images = [tmp_path / "text.jpg", photo, tmp_path / "gone.jpg"]
    text, good, gone = tasks.predict(run.best, images)
    assert text == PredictionFailed(
        str(images[0]), "text.jpg can't be read: it is not an image of a known format."
    )
    assert isinstance(good, Predicted)
    assert isinstance(gone, PredictionFailed)


def test_a_turned_camera_changes_no_prediction(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(photo) as upright:
        upright.save(tmp_path / "upright.png")
        upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    upright_guess, turned = tasks.predict(
        run.best, [tmp_path / "upright.png", tmp_path / "turned.png"]
    )
    assert turned.predictions == upright_guess.predictions


def test_no_random_number_is_drawn(run: RunFolder, photo: Path) -> None:
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


def test_a_run_predicts_with_its_best_checkpoint(run: RunFolder, photo: Path, tmp_path) -> None:
    young = RunFolder(tmp_path)
    with pytest.raises(FlowerError, match="has no checkpoint yet"):
        list(tasks.predict(young.path, [photo]))
    young.last.write_bytes(run.last.read_bytes())
    assert next(tasks.predict(young.path, [photo])).checkpoint == str(young.last)
    young.best.write_bytes(run.best.read_bytes())
    assert next(tasks.predict(young.path, [photo])).checkpoint == str(young.best)


def test_what_cannot_predict(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    with pytest.raises(FlowerError, match="There is no file"):
        list(tasks.predict(path, [photo]))
    torch.save(build("mynet", 3, 32).state_dict(), path)
    with pytest.raises(FlowerError, match=r"x\.pth has only weights"):
        list(tasks.predict(path, [photo]))
    stored = checkpoint.read(run.best)
    checkpoint.write({**stored, "classes": ["rose", "tulip"]}, path)
    with pytest.raises(FlowerError, match=r"x\.pth does not fit its own network"):
        list(tasks.predict(path, [photo]))


def test_a_network_that_gives_nan_says_so(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    stored = checkpoint.read(run.best)
    for name, tensor in (stored["ema"] or stored["model"]).items():
        if name.endswith("running_var"):
            tensor.fill_(-1.0)
    torch.save(stored, tmp_path / "wrong.pth")
    with pytest.raises(FlowerError, match=r"wrong\.pth predicts NaN"):
        list(tasks.predict(tmp_path / "wrong.pth", [photo]))


def test_a_path_through_a_file_is_no_checkpoint(run: RunFolder, photo: Path) -> None:
    with pytest.raises(FlowerError, match="There is no file"):
        list(tasks.predict(run.best / "x", [photo]))


# --- in batches -------------------------------------------------------------------------------


def test_photos_go_through_the_network_in_batches(
    run: RunFolder, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn, gone = tmp_path / "torn.jpg", tmp_path / "gone.jpg"
    torn.write_bytes(b"no picture")
    images = [photo] * 31 + [torn, gone] + [photo] * 30 + [torn] + [photo] * 3
    sizes = []
    net = type(predictor.load(run.best).net)
    forward = net.forward

    def watched(self, batch):
        sizes.append(len(batch))
        return forward(self, batch)

    monkeypatch.setattr(net, "forward", watched)
    events = list(tasks.predict(run.best, images))
    assert sizes == [31, 30, 3]  # of 32, 32 and 3
    assert [event.path for event in events] == [str(image) for image in images]
    unread = [row for row, event in enumerate(events) if isinstance(event, PredictionFailed)]
    assert unread == [31, 32, 63]
    assert "no longer exists" in events[32].reason
    assert {type(event) for event in events} == {Predicted, PredictionFailed}
    assert len({event.predictions[0].name for event in events if isinstance(event, Predicted)}) == 1


def test_only_some_batches_are_in_memory(run: RunFolder, photo: Path, monkeypatch) -> None:
    """However many photos are asked for: later ones are read when their batch comes."""
    read = []
    whole = image_io.read
    monkeypatch.setattr(
        image_io, "read", lambda path, **wish: read.append(path) or whole(path, **wish)
    )
    events = tasks.predict(run.best, [photo] * 1_000, device="cpu")
    next(events)
    assert len(read) == BATCH_SIZE
    events.close()


def test_heatmaps_are_computed_only_when_they_are_asked_for(
    run: RunFolder, photo: Path, monkeypatch
) -> None:
    asked = []
    maps = grad_cam.class_activation_maps
    monkeypatch.setattr(
        grad_cam, "class_activation_maps", lambda *given: asked.append(1) or maps(*given)
    )
    list(tasks.predict(run.best, [photo] * 3))
    assert not asked
    list(tasks.predict(run.best, [photo] * 3, why=True))
    assert len(asked) == 3


# --- on which device --------------------------------------------------------------------------


class OnCardError(Exception):
    """A network was sent to a graphics card."""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a graphics card, to which nothing must be sent."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: True)
    send = torch.nn.Module.to

    def to(self, *wish, **more):
        if any(isinstance(each, torch.device) and each.type == "cuda" for each in wish):
            raise OnCardError
        return send(self, *wish, **more)

    monkeypatch.setattr(torch.nn.Module, "to", to)


def test_the_device_of_the_recipe_predicts_and_evaluates(
    run: RunFolder, photo: Path, tmp_path: Path, card: None
) -> None:
    """Who chose the CPU, as the card is broken or full, does not get the card."""
    list(tasks.predict(run.best, [photo]))
    list(tasks.evaluate(run.best))
    assert commands.run(["evaluate", str(run.best)]) == 0
    with pytest.raises(OnCardError):
        list(tasks.predict(run.best, [photo], device="auto"))
    stored = checkpoint.read(run.best)
    stored["recipe"]["device"] = "auto"
    checkpoint.write(stored, tmp_path / "auto.pth")
    folder = run.recipe().photos
    for job in (
        lambda **wish: tasks.predict(tmp_path / "auto.pth", [photo], **wish),
        lambda **wish: tasks.evaluate(tmp_path / "auto.pth", folder, **wish),
    ):
        with pytest.raises(OnCardError):
            list(job())
        list(job(device="cpu"))


def test_a_device_that_this_machine_lacks(run: RunFolder, photo: Path, tmp_path, monkeypatch):
    """A network that was trained on another machine predicts here; a wish is refused."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    stored = checkpoint.read(run.best)
    stored["recipe"]["device"] = "cuda"
    checkpoint.write(stored, tmp_path / "theirs.pth")
    (predicted,) = tasks.predict(tmp_path / "theirs.pth", [photo])
    assert predicted.predictions[0].name == "iris"
    with pytest.raises(FlowerError, match="This machine has no"):
        list(tasks.predict(run.best, [photo], device="cuda"))


def test_a_full_card_leaves_the_rest_to_the_cpu(run: RunFolder, photo: Path, monkeypatch, caplog):
    trained = predictor.load(run.best)
    inference = BatchInference(trained, torch.device("meta"))
    net = type(trained.net)
    forward = net.forward

    def full(self, batch):
        if batch.device.type == "meta":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(self, batch)

    monkeypatch.setattr(net, "forward", full)
    monkeypatch.setattr(batch_inference, "autocast", lambda *_: nullcontext())  # meta has none
    ((indices, _, logits),) = inference.iterate(Path(), [Photo(str(photo), 0)])
    assert (indices, int(logits.argmax())) == ((0,), trained.classes.index("iris"))
    assert "the CPU computes instead" in caplog.text


def test_a_network_that_does_not_fit_on_the_card_stays_on_the_cpu(
    run: RunFolder, photo: Path, monkeypatch, caplog
) -> None:
    trained, meta = predictor.load(run.best), torch.device("meta")
    send = torch.nn.Module.to

    def full(self, *wish, **more):
        if meta in wish:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return send(self, *wish, **more)

    monkeypatch.setattr(torch.nn.Module, "to", full)
    inference = BatchInference(trained, meta)
    assert inference.net is trained.net
    ((_, _, logits),) = inference.iterate(Path(), [Photo(str(photo), 0)])
    assert int(logits.argmax()) == trained.classes.index("iris")
    assert "the CPU computes instead" in caplog.text


def test_heatmaps_for_which_a_card_has_no_room_come_from_the_cpu(
    run: RunFolder, monkeypatch, caplog
) -> None:
    trained, image = predictor.load(run.best), torch.full((32, 32, 3), 90, dtype=torch.uint8)
    expected = BatchInference(trained, torch.device("cpu")).heatmaps(image, (0, 2))
    inference = BatchInference(trained, torch.device("meta"))
    maps = grad_cam.class_activation_maps

    def full(net, layer, images, labels):
        if images.device.type == "meta":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return maps(net, layer, images, labels)

    monkeypatch.setattr(grad_cam, "class_activation_maps", full)
    computed = inference.heatmaps(image, (0, 2))
    assert all(torch.equal(a, b) for a, b in zip(computed, expected, strict=True))
    assert inference.net is trained.net
    assert "the CPU computes instead" in caplog.text


def test_heatmaps_that_memory_has_no_room_for_are_no_defect(
    run: RunFolder, photo: Path, monkeypatch
) -> None:
    def full(*_):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")

    monkeypatch.setattr(grad_cam, "class_activation_maps", full)
    with pytest.raises(FlowerError, match="not enough memory to run the network"):
        list(tasks.predict(run.best, [photo], why=True, device="cpu"))


def test_a_photo_that_memory_has_no_room_for_is_no_defect(
    run: RunFolder, photo: Path, monkeypatch
) -> None:
    def full(path: Path, **wish: int) -> None:
        raise MemoryError

    monkeypatch.setattr(image_io, "read", full)
    with pytest.raises(FlowerError, match="not enough memory to run the network"):
        list(tasks.predict(run.best, [photo]))


# --- what it keeps ----------------------------------------------------------------------------


def test_one_network_is_kept_and_no_more(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    """Of resnet50, 100 MB would stay for nothing."""
    list(tasks.predict(run.best, [photo], why=True))
    before = weakref.ref(predictor.load(run.best).net)
    assert before() is not None
    shutil.copy(run.best, tmp_path / "other.pth")
    list(tasks.predict(tmp_path / "other.pth", [photo]))
    gc.collect()
    assert before() is None


# --- the names of its classes -----------------------------------------------------------------


def test_a_foreign_list_of_classes_renames_nothing(run: RunFolder, photo: Path, tmp_path: Path):
    """Labels come from the checkpoint, whatever lies beside it."""

    def likeliest(path: Path) -> str:
        return next(tasks.predict(path, [photo])).predictions[0].name

    alone = tmp_path / "downloads"
    alone.mkdir()
    shutil.copy(run.best, alone / "best.pth")
    (alone / "classes.json").write_text('["rose", "tulip", "aster"]')
    assert likeliest(alone / "best.pth") == "iris"
    copied = tmp_path / "run"
    shutil.copytree(run.path, copied)
    for names in ('["rose", "tulip", "aster"]', '["lily", "iris", "rose"]', '{"0": "a"}', "[1]"):
        (copied / "classes.json").write_text(names)
        assert likeliest(copied / "best.pth") == "iris"
    (copied / "classes.json").write_text('["iris", "lily", "daisy"]')  # in another order
    assert likeliest(copied / "best.pth") == "iris"


def test_a_run_may_rename_its_classes(run: RunFolder, photo: Path, tmp_path: Path) -> None:
    """It writes classes.json and split.csv together; its best.pth may be older."""
    copied = tmp_path / "run"
    shutil.copytree(run.path, copied)
    renamed = RunFolder(copied)
    rows = [(path, name.replace("iris", "violet"), part) for path, name, part in renamed.split()]
    renamed.write_split(("daisy", "violet", "lily"), rows, Path(run.recipe().photos))
    (predicted,) = tasks.predict(renamed.best, [photo])
    assert predicted.predictions[0].name == "violet"
    shutil.copy(run.best, copied / "mine.pth")  # nobody knows of which run it is
    assert next(tasks.predict(copied / "mine.pth", [photo])).predictions[0].name == "iris"
