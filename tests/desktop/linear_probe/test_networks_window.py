"""The window that compares networks on the open dataset."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QTreeView
from scripted import button, find, open_photos, start

from flowergui.desktop.linear_probe.networks_table import NetworkColumn
from flowergui.desktop.linear_probe.networks_window import NetworksWindow
from flowergui.desktop.style import theme
from flowergui.errors import FlowerError


def opened(window) -> NetworksWindow:
    """Its window, after a click on the button beside the network."""
    button(window, "compareNetworksButton").click()
    return find(window, NetworksWindow, "networksWindow")


def rows(networks: NetworksWindow) -> list[str]:
    model = find(networks, QTreeView, "networksTable").model()
    return [model.index(row, NetworkColumn.NETWORK).data() for row in range(model.rowCount())]


def label(networks: NetworksWindow, name: str) -> str:
    return find(networks, QLabel, name).text()


def ready(networks: NetworksWindow) -> bool:
    return bool(label(networks, "networksVerdict"))


def test_rows_come_one_by_one_and_the_best_is_first(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    script.explains.clear()
    networks = opened(window)
    bar = networks.findChild(QProgressBar)
    qtbot.waitUntil(lambda: (bar.value(), bar.maximum()) == (1, 3))
    assert script.of("compare networks") == [(photos, (), True, "auto")]
    assert rows(networks) == []
    assert not button(networks, "useNetworkButton").isEnabled()
    script.explains.set()
    qtbot.waitUntil(lambda: ready(networks))
    assert rows(networks) == ["resnet50", "mynet"]
    assert label(networks, "networksVerdict") == "The most accurate on 30 images is resnet50 (V2)."
    table = find(networks, QTreeView, "networksTable").model()
    texts = [table.index(0, column).data() for column in NetworkColumn]
    assert texts == ["resnet50", "90.0%", "75.0% to 97.0%", "20.0", "94.0", "V2"]
    bold = [table.index(row, 0).data(Qt.ItemDataRole.FontRole) for row in range(2)]
    assert bold[0].bold()
    assert bold[1] is None
    assert not bar.isVisible()


def test_one_click_takes_a_network(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    networks = opened(window)
    qtbot.waitUntil(lambda: ready(networks))
    button(networks, "useNetworkButton").click()
    recipe = window.session.recipe
    assert (recipe.mode, recipe.model) == ("transfer", "resnet50")


def test_no_network_is_taken_while_a_run_goes(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    networks = opened(window)
    qtbot.waitUntil(lambda: ready(networks))
    start(qtbot, window, photos)
    before = window.session.recipe
    button(networks, "useNetworkButton").click()
    assert window.session.recipe == before
    assert label(networks, "networksFailures").startswith("A run is training.")


def test_a_file_is_compared_beside_the_others(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    networks = opened(window)
    qtbot.waitUntil(lambda: ready(networks))
    networks.file_requested.emit("/x/good.pth")
    qtbot.waitUntil(lambda: rows(networks) == ["resnet18", "resnet50", "mynet"])
    assert label(networks, "networksVerdict").startswith(
        "The most accurate on 30 images is resnet18"
    )
    networks.file_requested.emit("/x/torn.pth")
    failed = "/x/torn.pth could not be compared: torn.pth can't be read."
    qtbot.waitUntil(lambda: label(networks, "networksFailures") == failed and ready(networks))
    assert rows(networks) == ["resnet18", "resnet50", "mynet"]
    button(networks, "compareAgainButton").click()
    qtbot.waitUntil(lambda: len(script.of("compare networks")) == 4)
    assert script.of("compare networks")[1:] == [
        (photos, ("/x/good.pth",), False, "auto"),
        (photos, ("/x/torn.pth",), False, "auto"),
        (photos, ("/x/good.pth", "/x/torn.pth"), True, "auto"),
    ]
    qtbot.waitUntil(lambda: len(rows(networks)) == 3)


def test_a_file_that_is_added_meanwhile_begins_it_anew(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    script.explains.clear()
    networks = opened(window)
    qtbot.waitUntil(lambda: bool(script.of("compare networks")))
    networks.file_requested.emit("/x/good.pth")
    script.explains.set()
    qtbot.waitUntil(lambda: ready(networks))
    assert rows(networks) == ["resnet18", "resnet50", "mynet"]


def test_without_images_it_says_so(qtbot, window, script):
    networks = opened(window)
    assert label(networks, "networksFailures") == "Choose a folder of images first."
    assert script.of("compare networks") == []


@pytest.mark.parametrize(
    "error", [FlowerError("No pretrained weights are on this machine."), ZeroDivisionError("oh")]
)
def test_an_error_is_said_in_its_window(qtbot, window, script, photos, error):
    open_photos(qtbot, window, photos)
    script.error = error
    networks = opened(window)
    qtbot.waitUntil(lambda: label(networks, "networksFailures") == str(error))
    assert button(networks, "compareAgainButton").isEnabled()


def test_cancel_ends_it_and_another_dataset_begins_it_anew(qtbot, window, script, photos, tmp_path):
    open_photos(qtbot, window, photos)
    script.explains.clear()
    networks = opened(window)
    qtbot.waitUntil(lambda: networks.findChild(QProgressBar).value() == 1)
    button(networks, "cancelProbeButton").click()
    assert button(networks, "compareAgainButton").isEnabled()
    script.explains.set()
    (tmp_path / "others").mkdir()
    open_photos(qtbot, window, str(tmp_path / "others"))
    qtbot.waitUntil(lambda: ready(networks))
    assert [each[0] for each in script.of("compare networks")] == [
        photos, str(tmp_path / "others"),
    ]  # fmt: skip


def test_closing_it_ends_the_comparison(qtbot, window, script, photos):
    open_photos(qtbot, window, photos)
    script.explains.clear()
    networks = opened(window)
    qtbot.waitUntil(lambda: bool(script.of("compare networks")))
    networks.close()
    script.explains.set()
    qtbot.waitUntil(lambda: window.findChild(NetworksWindow) is None)
    networks = opened(window)
    qtbot.waitUntil(lambda: ready(networks))


def test_it_is_painted_in_both_themes(qtbot, qapp, window, script, photos):
    open_photos(qtbot, window, photos)
    networks = opened(window)
    qtbot.waitUntil(lambda: ready(networks))
    light = networks.grab().toImage()
    theme.apply(qapp, "dark")
    dark = networks.grab().toImage()
    for image, ground in ((light, theme.LIGHT), (dark, theme.DARK)):
        assert image.pixelColor(2, 2).name() == ground.background
    accent = {theme.DARK.accent}
    seen = {dark.pixelColor(x, y).name() for x in range(dark.width()) for y in range(120, 260)}
    assert accent <= seen, "no dot is painted at an accuracy"
