"""Every text in the window is translated: where all of it is Chinese, English is a mistake."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QTabBar,
    QTextEdit,
    QWidget,
)
from scripted import (
    BATCHES,
    banner,
    button,
    choose_mode,
    drop,
    facts,
    find,
    list_runs,
    open_photos,
    start,
)

from flowergui.desktop.batch_prediction.batch_window import BatchWindow
from flowergui.desktop.dataset.class_window import ClassWindow
from flowergui.desktop.dataset.problems_dialog import ProblemsDialog
from flowergui.desktop.layers.network_dialog import NetworkDialog
from flowergui.desktop.plots.pg import pyqtgraph as pg
from flowergui.desktop.preferences.preferences_dialog import PreferencesDialog
from flowergui.desktop.support.about_dialog import AboutDialog
from flowergui.desktop.support.report_dialog import ReportDialog
from flowergui.desktop.window.guide_window import GuideWindow
from flowergui.desktop.window.language_controller import speak
from flowergui.events import ModelDescribed
from flowergui.facts import ModuleFacts, Problem
from flowergui.language import Language

NAMES = {
    "AdamW", "Adam", "SGD", "RMSprop", "StepLR", "MixUp", "CutMix", "EMA", "ImageNet", "flowergui",
    "Flowergui",
    "CPU", "GPU", "NVIDIA", "Apple", "cuda", "mps", "Grad-CAM", "px", "ms",
    "MB", "GB", "Ctrl", "Return", "NaN", "Gamma", "rose", "tulip", "daisy", "Lite", "Some", "fc",
    "mynet", "ResNet", "photos", "English", "Python", "torch", "torchvision", "pyqtgraph", "numpy",
    "pillow",
}  # fmt: skip
"""Words that are the same in Chinese, and the names that the scripted tasks give."""

SCRIPTED = {"Looking at your images with mynet", "run"}
"""What the scripted tasks say, and the name of a folder."""

NOT_A_WORD = re.compile(r"\S*[\d_./\\<>=]\S*|photos  \(.*\)|Export")
"""Names of networks and layers, paths, versions, markup, and pyqtgraph's own menu, which is not
shown."""


def untranslated(text: str) -> bool:
    """Whether a text has an English word, and not one Chinese character."""
    if re.search(r"[\u4e00-\u9fff]", text):
        return False
    words = re.findall(r"[A-Za-z][A-Za-z'-]+", NOT_A_WORD.sub(" ", text))
    return not NAMES.issuperset(words)


def texts(root: QWidget) -> Iterator[tuple[str, str]]:
    """Every text of a window, also what is hidden, and where it stands."""
    for widget in (root, *root.findChildren(QWidget)):
        place = f"{type(widget).__name__} {widget.objectName()}".strip()
        for name in ("toolTip", "accessibleName", "accessibleDescription", "windowTitle", "text",
                     "placeholderText", "title", "specialValueText", "suffix", "prefix",
                     "informativeText", "labelText"):  # fmt: skip
            if isinstance(widget, QLineEdit) and name == "text":
                continue  # what the user typed
            value = getattr(widget, name, None)
            if callable(value) and isinstance(text := value(), str):
                yield f"{place}.{name}", text
        if isinstance(widget, QComboBox):
            yield from items(f"{place} item", widget.model())
        if isinstance(widget, QTabBar):
            yield from ((f"{place} tab", widget.tabText(each)) for each in range(widget.count()))
        if isinstance(widget, QAbstractItemView) and widget.model() is not None:
            yield from items(place, widget.model())
        if isinstance(widget, QTextEdit):
            yield from ((f"{place} line", line) for line in widget.toPlainText().splitlines())
        if isinstance(widget, pg.GraphicsView):
            yield from drawn(place, widget)
        for action in widget.actions():
            yield from of_action(place, action)
    for action in root.findChildren(QAction):
        yield from of_action("action", action)


def of_action(place: str, action: QAction) -> Iterator[tuple[str, str]]:
    yield f"{place} {action.objectName()}", action.text()
    if action.toolTip() != action.text().replace("…", "").replace("&", ""):
        yield f"{place} {action.objectName()}.toolTip", action.toolTip()


def items(place: str, model: QAbstractItemModel) -> Iterator[tuple[str, str]]:
    # A list's columnCount is private in PySide6.
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
    for section in range(columns):
        for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            shown = model.headerData(section, Qt.Orientation.Horizontal, role)
            yield f"{place} head", str(shown or "")
    parents = [QModelIndex()]
    while parents:
        parent = parents.pop()
        for row in range(model.rowCount(parent)):
            for column in range(columns):
                index = model.index(row, column, parent)
                for role in (
                    Qt.ItemDataRole.DisplayRole,
                    Qt.ItemDataRole.ToolTipRole,
                    Qt.ItemDataRole.AccessibleTextRole,
                ):
                    yield f"{place} cell", str(index.data(role) or "")
            parents.append(model.index(row, 0, parent))


def drawn(place: str, view: pg.GraphicsView) -> Iterator[tuple[str, str]]:
    for item in view.scene().items():
        for name in ("toPlainText", "toolTip"):
            value = getattr(item, name, None)
            if callable(value):
                yield f"{place} {type(item).__name__}", str(value())


def wrong(root: QWidget) -> list[tuple[str, str]]:
    found = {(place, text) for place, text in texts(root) if text not in SCRIPTED}
    return sorted((place, text) for place, text in found if untranslated(text))


def test_what_is_untranslated() -> None:
    """The check itself."""
    assert untranslated("Choose a folder of images first.")
    assert untranslated("Start")
    assert not untranslated("请先选择图片文件夹。Choose a folder.")
    assert not untranslated("layer1.0.conv1.weight 64 px AdamW efficientnet_lite0")


@pytest.fixture(autouse=True)
def _spoken(chinese: None, qapp: QApplication) -> Iterator[None]:
    speak(Language.SIMPLIFIED_CHINESE)
    yield
    speak(Language.ENGLISH)


def test_the_window_as_it_opens(window) -> None:
    everything = dict(texts(window))
    assert len(everything) > 200
    assert wrong(window) == []


def test_each_mode_with_a_dataset(qtbot, window, script, photos, tmp_path) -> None:
    script.runs = [facts(tmp_path / "2026-11-09_14-05-00_resnet18_scratch")]
    open_photos(qtbot, window, photos)
    qtbot.waitUntil(lambda: bool(script.of("estimate")))
    for mode in ("scratch", "transfer", "resume"):
        list_runs(qtbot, window)
        choose_mode(window, mode)
        assert wrong(window) == []


def test_a_run_and_its_messages(qtbot, window, script, photos, tmp_path) -> None:
    start(qtbot, window, photos)
    script.gate.release()
    qtbot.waitUntil(lambda: "1" in find(window, QLabel, "runLine").text())
    assert wrong(window) == []
    button(window, "pauseButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "paused")
    assert wrong(window) == []
    button(window, "pauseButton").click()
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    drop(find(window, QWidget, "dropZone"), [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")])
    qtbot.waitUntil(button(window, "whyButton").isEnabled)
    button(window, "whyButton").click()
    qtbot.waitUntil(lambda: bool(script.of("explain")))
    assert wrong(window) == []
    banner(window).show_log()
    assert wrong(find(window, QWidget, "messageLog")) == []


def test_closing_while_a_run_goes(qtbot, window, photos) -> None:
    start(qtbot, window, photos)
    window.close()
    question = window.findChild(QMessageBox)
    assert wrong(question) == []
    question.reject()


@pytest.mark.parametrize(
    ("opener", "name"),
    [
        ("compareRunsButton", "runsWindow"),
        ("compareNetworksButton", "networksWindow"),
        ("confidenceButton", "confidenceWindow"),
        ("evaluationButton", "evaluationWindow"),
        ("guideButton", "guideWindow"),
        ("showNetworkButton", "networkDialog"),
    ],
)
def test_each_window(qtbot, window, script, photos, tmp_path, opener: str, name: str) -> None:
    folder = tmp_path / "2026-11-09_14-05-00_resnet18_scratch"
    script.runs = [
        replace(facts(folder), best=str(folder / "best.pth"), note=""),
        facts(tmp_path / "2026-11-08_14-05-00_resnet18_scratch", epochs_done=3),
    ]
    script.cross_validates = True
    open_photos(qtbot, window, photos)
    list_runs(qtbot, window)
    button(window, opener).click()
    qtbot.waitUntil(lambda: window.findChild(QWidget, name) is not None)
    opened = find(window, QWidget, name)
    qtbot.waitUntil(lambda: not window._jobs._workers)
    assert wrong(opened) == []
    opened.close()


@pytest.mark.parametrize("dialog", [PreferencesDialog, AboutDialog, BatchWindow])
def test_each_dialog(qtbot, dialog: type[QWidget]) -> None:
    made = dialog()
    qtbot.addWidget(made)
    assert wrong(made) == []


def test_a_class_and_a_report(qtbot) -> None:
    for made in (ClassWindow("rose"), ReportDialog("…")):
        qtbot.addWidget(made)
        assert wrong(made) == []


def test_what_is_left_out(qtbot) -> None:
    made = ProblemsDialog([Problem("/photos/rose/1.jpg", "…")])
    qtbot.addWidget(made)
    assert wrong(made) == []


def test_a_network(qtbot) -> None:
    modules = (ModuleFacts("", "ResNet", (2,), 9), ModuleFacts("conv1", "Conv2d", None, 9))
    made = NetworkDialog(ModelDescribed("resnet18", 2, 64, (), modules, (), ()))
    qtbot.addWidget(made)
    assert wrong(made) == []


def test_the_guide(qtbot) -> None:
    """Names of controls stand in quotation marks: Chinese has no italics."""
    made = GuideWindow()
    qtbot.addWidget(made)
    words = find(made, QTextEdit, "guideText").toPlainText()
    assert "或按“选择文件夹…”。" in words
    assert "*" not in words
    assert len(dict(texts(made))) > 5
    assert wrong(made) == []
