"""Pretrained weights: downloaded whole or not at all, and told from those of other networks."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from flowergui import tasks
from flowergui.errors import FlowerError, OtherArchitectureError
from flowergui.events import DownloadProgress, WeightsSaved
from flowergui.learning.device import hardware
from flowergui.learning.models import weights
from flowergui.learning.models.build import build, build_on_meta
from flowergui.learning.models.catalogue import model_catalogue, model_info
from flowergui.learning.models.describe import describe, head_of
from flowergui.learning.models.download import download
from flowergui.learning.models.freeze import freeze
from flowergui.learning.models.torchvision_models import weights_of
from flowergui.store import library

CONTENT = bytes(range(256)) * 4096  # 1 MiB
NAME = f"made_up-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


class Answers(BaseHTTPRequestHandler):
    """CONTENT under any name; after /cut/ only a half of it, after /chunked/ torn chunks."""

    def do_GET(self) -> None:
        if self.path.startswith("/gone/"):
            self.send_error(404)
            return
        self.send_response(200)
        if self.path.startswith("/chunked/"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"1000\r\n" + CONTENT[:100])
            return
        if not self.path.startswith("/untold/"):
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if "/cut/" in self.path else CONTENT)

    protocol_version = "HTTP/1.1"
    close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing on stderr."""

    def handle(self) -> None:
        self.handle_one_request()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def pulled(generator: Iterator[DownloadProgress]) -> tuple[object, list[DownloadProgress]]:
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return end.value, events


def test_a_download_tells_how_far_it_is(server: str, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    path, events = pulled(download(f"{server}/{NAME}", folder))
    assert path == folder / NAME
    assert path.read_bytes() == CONTENT
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[0] == DownloadProgress(NAME, 0, len(CONTENT))
    assert events[-1] == DownloadProgress(NAME, len(CONTENT), len(CONTENT))
    assert len(events) >= 5
    assert pulled(download("http://127.0.0.1:9/" + NAME, folder)) == (path, [])


def test_what_was_left_half_in_the_cache_is_fetched_anew(server: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(CONTENT[:1000])  # by another program
    path, events = pulled(download(f"{server}/{NAME}", tmp_path))
    assert path.read_bytes() == CONTENT
    assert events


def test_torchvision_names_the_hash_of_all_its_weights() -> None:
    urls = [w.url for facts in model_catalogue() for w in weights_of(facts.name)]
    assert len(urls) > 100
    assert all(re.search(r"-[0-9a-f]{8,64}\.pth$", url) for url in urls)


def test_a_server_need_not_say_how_much_it_is(server: str, tmp_path: Path) -> None:
    path, events = pulled(download(f"{server}/untold/{NAME}", tmp_path / "cache"))
    assert path.read_bytes() == CONTENT
    assert {event.total for event in events} == {0}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (
            "/made_up-00000000.pth",
            "The downloaded made_up-00000000.pth is damaged: ",
        ),
        (f"/cut/{NAME}", f"The download of {NAME} was cut off."),
        (f"/chunked/{NAME}", f"The weights {NAME} could not be downloaded: "),
        (f"/gone/{NAME}", f"The weights {NAME} could not be downloaded: Not Found."),
    ],
)
def test_what_is_wrong_leaves_nothing(server: str, tmp_path: Path, address: str, says: str) -> None:
    with pytest.raises(FlowerError) as refused:
        pulled(download(server + address, tmp_path / "cache"))
    assert refused.value.message.startswith(says)
    assert refused.value.hint
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_download_that_is_given_up_leaves_nothing(server: str, tmp_path: Path) -> None:
    downloading = download(f"{server}/{NAME}", tmp_path / "cache")
    next(downloading)
    next(downloading)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    downloading.close()
    assert list((tmp_path / "cache").iterdir()) == []


def test_offline(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match=f"The weights {NAME} could not be downloaded") as refused:
        pulled(download(f"http://127.0.0.1:9/{NAME}", tmp_path / "cache"))
    assert str(tmp_path / "cache") in refused.value.hint


def test_a_name_that_is_not_found_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match=r"downloaded: nowhere\.invalid can't be reached"):
        pulled(download(f"http://nowhere.invalid/{NAME}", tmp_path / "cache"))


def test_nowhere_to_keep_it(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FlowerError, match="could not be written into"):
        pulled(download(f"{server}/{NAME}", tmp_path / "file" / "cache"))


# --- what a recipe names ----------------------------------------------------------------------


@pytest.mark.parametrize("word", ["imagenet", "DEFAULT", "IMAGENET1K_V1", "imagenet1k_v1"])
def test_torchvisions_weights_by_any_of_their_names(cached_weights, word: str) -> None:
    cached_weights("resnet18", {"fc.bias": torch.arange(1000.0)})
    found, events = pulled(weights.load("resnet18", word))
    assert events == []
    assert (found.name, found.image_size) == ("IMAGENET1K_V1", 224)
    assert (found.mean, found.std) == (weights.MEAN, weights.STD)
    assert found.tensors["fc.bias"][-1] == 999


def test_each_version_is_a_file_of_its_own(cached_weights) -> None:
    for version in (0, 1):
        cached_weights("resnet50", {"fc.bias": torch.tensor([float(version)])}, version)
    assert pulled(weights.load("resnet50", "imagenet"))[0].tensors["fc.bias"] == 0
    assert pulled(weights.load("resnet50", "IMAGENET1K_V1"))[0].tensors["fc.bias"] == 1


@pytest.mark.parametrize(("model", "word"), [("mynet", "imagenet"), ("resnet18", "imagenet1k_v9")])
def test_weights_that_do_not_exist(model: str, word: str) -> None:
    with pytest.raises(FlowerError, match=f"{model} has no weights called {word}") as refused:
        pulled(weights.load(model, word))
    assert ("IMAGENET1K_V1" in refused.value.hint) == (model == "resnet18")


def test_own_image_size() -> None:
    assert weights.own_image_size("vit_b_16", "imagenet") == 224
    assert weights.own_image_size("vit_b_16", "IMAGENET1K_SWAG_E2E_V1") == 384
    assert weights.own_image_size("mynet", "some.pth") == 96


def filled(model: str, tensors: dict[str, torch.Tensor]) -> tuple[torch.nn.Module, list[str]]:
    net = build(model, 3, model_info(model).image_size)
    pretrained = weights.Pretrained("theirs", tensors, 0, weights.MEAN, weights.STD)
    return net, weights.load_pretrained(net, pretrained, model)


def made_up(hollow: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Values for its state dict, drawn faster than any initialisation."""
    noise = torch.rand(1 << 20, generator=torch.Generator().manual_seed(4)).sub_(0.5).mul_(0.1)
    values = {}
    for name, tensor in hollow.state_dict().items():
        if not tensor.is_floating_point():
            values[name] = torch.zeros_like(tensor, device="cpu") if tensor.is_meta else tensor
        elif tensor.ndim > 1:
            count = tensor.numel()
            values[name] = noise.repeat(count // len(noise) + 1)[:count].view(tensor.shape)
        else:
            values[name] = torch.ones(tensor.shape)
    return values


def cheapest_size(model: str) -> int:
    """96 or 98 px where the network can take that, else the smallest that it has weights for."""
    for size in (96, 98):
        with suppress(FlowerError):
            return describe(model, 3, size).image_size
    facts = model_info(model)
    return min(facts.image_size, *(each.image_size for each in facts.weights))


@pytest.mark.parametrize("model", [facts.name for facts in model_catalogue()])
def test_every_network_takes_all_but_the_head_and_learns_with_it(model: str) -> None:
    if hardware.free_memory() < 20 * model_info(model).parameters:
        pytest.skip("the networks of this test would not fit into memory")
    size = cheapest_size(model)
    theirs = made_up(build_on_meta(model, 1000, size))
    net = build_on_meta(model, 3, size).to_empty(device="cpu")
    head = head_of(model)
    for name, parameter in net.named_parameters():
        if name in head:
            torch.nn.init.normal_(parameter, std=0.1)
    pretrained = weights.Pretrained("theirs", theirs, 0, weights.MEAN, weights.STD)
    assert weights.load_pretrained(net, pretrained, model) == []
    for name, tensor in net.state_dict().items():
        assert (name in head) != (tensor.shape == theirs[name].shape)
        assert (name in head) or torch.equal(tensor, theirs[name])
    freeze(net, [name for name, _ in net.named_parameters() if name not in head])
    logits = net(torch.rand(2, 3, size, size))
    assert logits.shape == (2, 3)
    logits = torch.nn.functional.normalize(logits)  # made-up weights may give huge ones
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 2])).backward()
    gradients = {name: p.grad for name, p in net.named_parameters() if p.grad is not None}
    assert set(gradients) == set(head)
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    assert any(gradient.any() for gradient in gradients.values())
    before = {name: tensor.clone() for name, tensor in net.state_dict().items() if name in head}
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    after = net.state_dict()
    assert any(not torch.equal(after[name], before[name]) for name in head)
    assert all(torch.equal(after[name], theirs[name]) for name in after if name not in head)


def test_what_does_not_fit_is_named() -> None:
    theirs = dict(get_model("resnet18", weights=None).state_dict())
    del theirs["conv1.weight"]
    theirs["bn1.weight"] = torch.ones(7)
    assert filled("resnet18", theirs)[1] == ["conv1.weight", "bn1.weight"]


def test_weights_of_another_network_are_refused() -> None:
    theirs = dict(get_model("squeezenet1_1", weights=None).state_dict())
    with pytest.raises(
        OtherArchitectureError, match="weights of squeezenet1_1, not of mynet"
    ) as no:
        filled("mynet", theirs)
    assert no.value.model == "squeezenet1_1"
    unknown = {name.replace("features", "layers"): tensor for name, tensor in theirs.items()}
    with pytest.raises(OtherArchitectureError, match="another network: only 0% of mynet") as no:
        filled("mynet", unknown)
    assert no.value.model == ""


@pytest.mark.parametrize(
    ("model", "today", "once"),
    [
        ("densenet121", r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2"),
        ("vit_b_16", r"\.mlp\.([03])\.", lambda m: f".mlp.linear_{1 if m[1] == '0' else 2}."),
    ],
)
def test_names_that_torchvisions_files_had_once(
    cached_weights, model: str, today: str, once
) -> None:
    import re

    hollow = build_on_meta(model, 1000, model_info(model).image_size)
    names = {name: re.sub(today, once, name) for name in hollow.state_dict()}
    assert any(now != then for now, then in names.items())
    cached_weights(model, {then: torch.zeros(1) for then in names.values()})
    assert set(pulled(weights.load(model, "imagenet"))[0].tensors) == set(names)


# --- saved for use offline --------------------------------------------------------------------


def googlenet() -> torch.nn.Module:
    return get_model("googlenet", num_classes=1000, weights=None, init_weights=True)


def test_saved_weights_are_a_plain_state_dict_that_transfer_takes(
    cached_weights, models: Path
) -> None:
    cached_weights("googlenet", googlenet().state_dict())
    (saved,) = tasks.save_weights("googlenet", "imagenet")
    assert saved == WeightsSaved(str(models / "googlenet.pth"))
    assert library.saved_weights("googlenet") == [saved.path]
    assert library.saved_weights("vgg11") == []
    plain = torch.load(saved.path, weights_only=True)
    googlenet().load_state_dict(plain)  # as torchvision itself would
    direct, _ = pulled(weights.load("googlenet", "imagenet"))
    from_file, _ = pulled(weights.load("googlenet", saved.path))
    assert direct.mean == from_file.mean == weights.HALF  # its ImageNet weights came from TF
    assert direct.tensors.keys() == from_file.tensors.keys()


def test_what_cannot_be_saved(cached_weights, models: Path) -> None:
    with pytest.raises(FlowerError, match=r"mine\.pth is a file already"):
        list(tasks.save_weights("resnet18", "mine.pth"))
    with pytest.raises(FlowerError, match="mynet has no weights called imagenet"):
        list(tasks.save_weights("mynet"))
    cached_weights("googlenet", googlenet().state_dict())
    models.write_text("in the way")
    with pytest.raises(FlowerError, match=r"googlenet\.pth can't be written into"):
        list(tasks.save_weights("googlenet"))


def test_a_version_that_there_is_not_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="resnet18 has no weights called nonsense") as refused:
        list(weights.save("resnet18", "nonsense", tmp_path))
    assert "IMAGENET1K_V1" in refused.value.hint
