"""Where a network looks: the places that speak for its guesses."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import SMALLEST
from PIL import Image
from torch import nn

from flowergui import tasks
from flowergui.cli import commands
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Explained, Finished, Predicted, PredictionFailed
from flowergui.learning.inference import grad_cam
from flowergui.learning.models.build import build
from flowergui.learning.models.describe import head_of

SIZES = {"inception_v3": 96, "maxvit_t": 224, "vit_b_32": 224}


@pytest.mark.parametrize(
    ("model", "size"),
    [*((model, SIZES.get(model, 64)) for model in SMALLEST), ("resnet50", 32), ("resnet18", 32)],
)
def test_every_family_can_be_asked(model: str, size: int) -> None:
    torch.manual_seed(1)
    net = build(model, 5, size).eval().requires_grad_(False)
    for name, parameter in net.named_parameters():
        if name in head_of(model):
            nn.init.normal_(parameter, std=0.1)  # some begin with zeros
    images = torch.randn(1, 3, size, size)
    with torch.inference_mode():
        plain = net(images)[0]
    layer = grad_cam.target_layer(net, images)
    labels = plain.topk(5).indices.tolist()
    maps = grad_cam.class_activation_maps(net, layer, images, labels)
    assert len(maps) == 5
    for heat in maps:
        assert min(heat.shape) > 1
        assert heat.min() >= 0
        assert heat.max() in (0, 1)
    assert any(heat.max() == 1 for heat in maps)
    assert not any(module._forward_hooks for module in net.modules())
    with torch.inference_mode():
        assert torch.equal(net(images)[0], plain)


def test_it_is_grad_cam() -> None:
    """Two channels that are red and blue, each with a mean and a weight for each class."""
    layer = nn.Conv2d(3, 2, 1, bias=False)
    head = nn.Linear(2, 2, bias=False)
    layer.weight.data = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]]).view(2, 3, 1, 1)
    head.weight.data = torch.tensor([[1.0, -0.5], [0.0, 2.0]])
    net = nn.Sequential(layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    net.eval().requires_grad_(False)
    images = torch.zeros(1, 3, 2, 2)
    images[0, 0, 0, 0] = 4.0  # red above on the left
    images[0, 0, 1, 1] = images[0, 2, 1, 1] = 2.0  # and a little of it, with blue, below
    assert grad_cam.target_layer(net, images) == "0"
    first, second = grad_cam.class_activation_maps(net, "0", images, (0, 1))
    assert torch.allclose(first, torch.tensor([[1.0, 0.0], [0.0, 0.25]]))
    assert torch.allclose(second, torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
    assert grad_cam.as_rows(first) == ((1.0, 0.0), (0.0, 0.25))


def test_nothing_may_speak_for_a_class() -> None:
    layer, head = nn.Conv2d(3, 1, 1, bias=False), nn.Linear(1, 2, bias=False)
    layer.weight.data.fill_(1.0)
    head.weight.data = torch.tensor([[1.0], [-1.0]])
    net = nn.Sequential(layer, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).requires_grad_(False)
    maps = grad_cam.class_activation_maps(net, "0", torch.ones(1, 3, 2, 2), (0, 1))
    assert maps[0].tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert maps[1].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_what_has_no_places_tells_nothing() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    assert grad_cam.target_layer(net, torch.zeros(1, 3, 2, 2)) == ""
    swin = build("swin_t", 3, 32).eval()  # its values lie with their channels last
    assert grad_cam.target_layer(swin, torch.zeros(1, 3, 32, 32)) == ""


def test_a_network_without_heatmaps_predicts_all_the_same(
    little: Callable[..., Recipe], monkeypatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, done = tasks.train(little(epochs=1))
    monkeypatch.setattr(grad_cam, "target_layer", lambda net, images: "")
    photo = next(Path(little().photos).rglob("*.jpg"))
    guessed, explained = tasks.predict(done.run, [photo], why=True, out=tmp_path)
    assert isinstance(guessed, Predicted)
    assert explained == Explained(str(photo), (), "")
    assert commands.run(["predict", done.run, str(photo), "--why", str(tmp_path)]) == 0
    assert "can't show why" in capsys.readouterr().out


def test_two_threads_may_ask_the_same_network() -> None:
    torch.manual_seed(1)
    net = build("mynet", 5, 64).eval().requires_grad_(False)
    images = [torch.randn(1, 3, 64, 64) for _ in range(8)]

    def maps(image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return grad_cam.class_activation_maps(net, "stages", image, range(5))

    alone = [maps(each) for each in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(maps, images))
    for one, other in zip(alone, together, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


# --- as a picture and in a run ------------------------------------------------------------------


def test_the_picture_is_bright_where_something_speaks(tmp_path: Path) -> None:
    photo = tmp_path / "wide.png"
    Image.new("RGB", (400, 200), (200, 100, 50)).save(photo)
    heat = ((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0))
    path = grad_cam.overlay(photo, heat, tmp_path / "out")
    assert path == tmp_path / "out" / "wide-why.jpg"
    with Image.open(path) as shown:
        pixels = np.asarray(shown).astype(int)
    assert pixels.shape == (200, 200, 3)
    assert pixels[100, 100] == pytest.approx([200, 100, 50], abs=6)
    assert pixels[8, 8] == pytest.approx([40, 20, 10], abs=6)
    again = grad_cam.overlay(photo, heat, tmp_path / "out")
    assert again == tmp_path / "out" / "wide-why 2.jpg"


def test_large_photos_make_no_large_pictures(tmp_path: Path) -> None:
    Image.new("RGB", (1500, 1200)).save(tmp_path / "large.jpg")
    path = grad_cam.overlay(tmp_path / "large.jpg", ((1.0, 0.0), (0.0, 0.0)), tmp_path)
    with Image.open(path) as shown:
        assert shown.size == (1024, 1024)


@pytest.mark.parametrize("where", ["a.png", "a.png/in a file"])
def test_where_no_picture_can_be_written(tmp_path: Path, where: str) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    with pytest.raises(FlowerError, match=r"a-why\.jpg can't be written into"):
        grad_cam.overlay(tmp_path / "a.png", ((1.0,),), tmp_path / where)


def test_many_photos_of_one_name_do_not_try_each_others_names(
    little: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, done = tasks.train(little(epochs=1))
    photos = [tmp_path / str(number) / "image.png" for number in range(9)]
    for photo in photos:
        photo.parent.mkdir()
        Image.new("RGB", (20, 20)).save(photo)
    out, really = tmp_path / "out", os.path.exists
    tried: list[str] = []

    def exists(path: str | Path) -> bool:
        tried.append(str(path))
        return really(path)

    monkeypatch.setattr(os.path, "exists", exists)
    list(tasks.predict(done.run, photos, why=True, out=out))
    wanted = {"image-why.jpg", *(f"image-why {number}.jpg" for number in range(2, 10))}
    assert {path.name for path in out.iterdir()} == wanted
    times = sum(os.path.dirname(path) == str(out) for path in tried)
    assert times < 3 * len(photos)  # Pillow asks once for each, too


def test_each_answer_is_explained(little: Callable[..., Recipe], tmp_path: Path) -> None:
    *_, done = tasks.train(little(epochs=1))
    assert isinstance(done, Finished)
    photos = sorted(Path(little().photos).rglob("*.jpg"))[:2]
    (tmp_path / "torn.jpg").write_bytes(b"")
    wish = [photos[0], tmp_path / "torn.jpg", photos[1]]
    plain = list(tasks.predict(done.run, wish))
    events = list(tasks.predict(done.run, wish, why=True, out=tmp_path / "out"))
    kinds = [type(event) for event in events]
    assert kinds == [Predicted, Explained, PredictionFailed, Predicted, Explained]
    assert [event for event in events if not isinstance(event, Explained)] == plain
    for guessed, told in ((events[0], events[1]), (events[3], events[4])):
        assert told.path == guessed.path
        assert len(told.heatmaps) == len(guessed.predictions) == 3
        assert Path(told.picture).is_file()
    told = list(tasks.predict(done.run, photos[:1], why=True))[1]
    assert told.picture == ""


def test_on_the_command_line(
    little: Callable[..., Recipe], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, done = tasks.train(little(epochs=1))
    photo = next(Path(little().photos).rglob("*.jpg"))
    wish = ["predict", done.run, str(photo), "--why", str(tmp_path / "out")]
    assert commands.run(wish) == 0
    picture = tmp_path / "out" / f"{photo.stem}-why.jpg"
    assert f"{picture} shows why." in capsys.readouterr().out
    assert picture.is_file()
    assert commands.run([*wish, "--json"]) == 0
    assert '"event": "Explained"' in capsys.readouterr().out
