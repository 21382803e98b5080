"""The layers panel and the network dialog."""

import math
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QLocale, QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QSpinBox, QTreeView, QTreeWidget

from flowergui.desktop.layers.layer_model import LayerModel
from flowergui.desktop.layers.layer_tree import LayerPanel
from flowergui.desktop.layers.network_dialog import NetworkDialog, network_text
from flowergui.desktop.layers.stage_schedule import with_stage_epoch
from flowergui.desktop.session import Store
from flowergui.events import ModelDescribed
from flowergui.facts import ModuleFacts, ParameterFacts, StageFacts
from flowergui.text import short_count

SHAPES = {
    "conv1.weight": (64, 3, 7, 7),
    "bn1.weight": (64,),
    "bn1.bias": (64,),
    "layer1.0.conv1.weight": (64, 64, 3, 3),
    "layer1.1.conv1.weight": (64, 64, 3, 3),
    "layer2.0.conv1.weight": (128, 64, 3, 3),
    "fc.weight": (5, 128),
    "fc.bias": (5,),
    "scale": (),
}
HEAD = ("fc.weight", "fc.bias")
LAST_STAGE = ("layer2.0.conv1.weight",)
ALL = tuple(SHAPES)
STAGES = (
    StageFacts(("conv1", "bn1", "scale"), ("conv1.weight", "bn1.weight", "bn1.bias", "scale"), 3),
    StageFacts(("layer1",), ("layer1.0.conv1.weight", "layer1.1.conv1.weight"), 2),
    StageFacts(("layer2.0",), ("layer2.0.conv1.weight",), 1),
    StageFacts(("fc",), HEAD, 0),
)
CHECKED, PARTLY, UNCHECKED = (
    Qt.CheckState.Checked,
    Qt.CheckState.PartiallyChecked,
    Qt.CheckState.Unchecked,
)


def described(model="small", shapes=None, classes=5) -> ModelDescribed:
    shapes = SHAPES if shapes is None else shapes
    return ModelDescribed(
        model=model,
        class_count=classes,
        image_size=64,
        parameters=tuple(
            ParameterFacts(name, shape, math.prod(shape)) for name, shape in shapes.items()
        ),
        modules=(
            ModuleFacts("", "SmallNet", (5,), 100),
            ModuleFacts("conv1", "Conv2d", (64, 32, 32), 9408),
            ModuleFacts("layer1", "Sequential", (64, 16, 16), 73728),
            ModuleFacts("layer1.0", "BasicBlock", (64, 16, 16), 36864),
            ModuleFacts("aux", "Aux", None, 0),
        ),
        head=HEAD,
        last_stage=LAST_STAGE,
        stages=STAGES if shapes is SHAPES else (),
    )


class Panel(LayerPanel):
    """A panel with the session that it shows, and what it requested."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.store.changed.connect(lambda before, after: self.show_session(after))
        self.told: list[tuple[str, ...]] = []
        self.frozen_requested.connect(self.told.append)
        self.frozen_requested.connect(lambda names: self.store.update_recipe(frozen=names))
        self.stage_epoch_requested.connect(
            lambda *asked: self.store.update_recipe(**with_stage_epoch(self.store.session, *asked))
        )
        self.schedule_cleared.connect(lambda: self.store.update_recipe(unfreeze_schedule=()))

    def show_network(self, network: ModelDescribed, words: tuple[str, ...]) -> None:
        recipe = replace(self.store.session.recipe, frozen=words)
        self.store.update(network=network, recipe=recipe)

    def frozen(self) -> tuple[str, ...]:
        model = tree(self).model()
        leaves = (index for index in rows(model) if not model.rowCount(index))
        ticked = (index for index in leaves if state(self, index.data()) == CHECKED)
        return tuple(index.data() for index in ticked)


@pytest.fixture
def panel(qtbot):
    widget = Panel()
    qtbot.addWidget(widget)
    return widget


def tree(panel) -> QTreeView:
    return panel.findChild(QTreeView, "layerTree")


def rows(model, parent=None):
    """Every index of the first column, as a script would walk them."""
    parent = QModelIndex() if parent is None else parent
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        yield index
        yield from rows(model, index)


def find(panel, text):
    return next(index for index in rows(tree(panel).model()) if index.data() == text)


def state(panel, text):
    return find(panel, text).data(Qt.ItemDataRole.CheckStateRole)


def tick(panel, text, value=CHECKED):
    return tree(panel).model().setData(find(panel, text), value, Qt.ItemDataRole.CheckStateRole)


def press(qtbot, panel, name):
    qtbot.mouseClick(panel.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def label(panel, name):
    return panel.findChild(QLabel, name).text()


def test_the_model_keeps_qts_rules():
    model = LayerModel()
    # Fatal mode aborts, Warning mode logs, and a logged warning fails the test.
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.show(described())
    model.set_frozen(("conv1.weight", "fc.bias"))
    model.show(described(shapes={"only": (3,)}))
    assert tester.model() is model


def test_one_leaf_per_parameter_with_its_full_name(panel):
    panel.show_network(described(), ())
    model = tree(panel).model()
    leaves = [index for index in rows(model) if not model.rowCount(index)]
    assert [index.data() for index in leaves] == list(ALL)
    assert [index.siblingAtColumn(1).data() for index in leaves[:2]] == ["64×3×7×7", "64"]
    assert leaves[0].siblingAtColumn(2).data() == "9,408"
    assert not any(tree(panel).isExpanded(index) for index in rows(model))


def test_ticking_a_leaf_freezes_it_and_half_ticks_its_branch(panel):
    panel.show_network(described(), ())
    assert tick(panel, "bn1.bias")
    assert panel.frozen() == ("bn1.bias",)
    assert panel.told == [("bn1.bias",)]
    assert state(panel, "bn1") == PARTLY
    tick(panel, "bn1.weight", CHECKED.value)  # scripts send numbers too
    assert state(panel, "bn1") == CHECKED
    tick(panel, "bn1.bias", UNCHECKED)
    assert state(panel, "bn1") == PARTLY


def test_ticking_a_branch_takes_all_below_and_is_told_once(panel):
    panel.show_network(described(), ())
    tick(panel, "layer1")
    assert panel.told == [("layer1.0.conv1.weight", "layer1.1.conv1.weight")]
    tick(panel, "layer1")
    assert len(panel.told) == 1
    tick(panel, "layer1", UNCHECKED)
    assert panel.frozen() == ()


def test_a_click_on_the_box_ticks(panel, qtbot):
    panel.show_network(described(), ())
    panel.resize(360, 420)
    with qtbot.waitExposed(panel):
        panel.show()
    view = tree(panel)
    view.setCurrentIndex(find(panel, "conv1"))
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert panel.told == [("conv1.weight",)]


def test_presets(panel, qtbot):
    panel.show_network(described(), ())
    assert panel.findChild(QPushButton, "freezeNothing").isChecked()
    press(qtbot, panel, "freezeAllButHead")
    assert panel.told[-1] == tuple(name for name in ALL if name not in HEAD)
    assert label(panel, "trainableCount") == "645 of 157,638 parameters trainable"
    press(qtbot, panel, "freezeAllButLastStage")
    assert panel.told[-1] == tuple(name for name in ALL if name not in HEAD + LAST_STAGE)
    assert panel.findChild(QPushButton, "freezeAllButLastStage").isChecked()
    assert not panel.findChild(QPushButton, "freezeAllButHead").isChecked()
    press(qtbot, panel, "freezeNothing")
    assert panel.told[-1] == ()
    press(qtbot, panel, "freezeNothing")
    assert len(panel.told) == 3
    assert panel.findChild(QPushButton, "freezeNothing").isChecked()


def test_everything_frozen_is_refused_in_words(panel):
    panel.show_network(described(), ("*",))
    assert "Everything is frozen" in label(panel, "layersError")
    assert not panel.findChild(QLabel, "layersError").isHidden()
    tick(panel, "fc", UNCHECKED)
    assert panel.findChild(QLabel, "layersError").isHidden()


def test_what_is_open_stays_open_in_the_same_network(panel):
    panel.show_network(described(), ("all-but-head",))
    tree(panel).expand(find(panel, "layer2"))
    tick(panel, "layer2", UNCHECKED)
    chosen = panel.frozen()
    panel.store.update(network=described(classes=7))
    assert panel.frozen() == chosen
    assert tree(panel).isExpanded(find(panel, "layer2"))


def test_words_and_patterns_are_ticked_and_nothing_is_requested(panel):
    panel.show_network(described(), ("layer*",))
    assert panel.frozen() == tuple(name for name in ALL if name.startswith("layer"))
    panel.show_network(described(), ("all-but-head",))
    assert panel.frozen() == tuple(name for name in ALL if name not in HEAD)
    assert panel.told == []


def test_without_a_network_nothing_can_be_pressed(panel):
    assert panel.frozen() == ()
    assert not panel.findChild(QPushButton, "freezeNothing").isEnabled()
    assert not panel.findChild(QPushButton, "showNetworkButton").isEnabled()
    assert not panel.findChild(QPushButton, "unfreeze_schedule").isEnabled()


def test_show_network_is_asked_for(panel, qtbot):
    panel.show_network(described(), ())
    with qtbot.waitSignal(panel.network_requested):
        press(qtbot, panel, "showNetworkButton")


def test_an_index_of_another_network_does_no_harm(panel):
    panel.show_network(described(), ())
    stale = find(panel, "fc.bias")
    panel.show_network(described("tiny", {"only": (3,)}), ())
    assert stale.data() != "fc.bias"


def test_a_narrow_panel_gives_its_room_to_names(panel, qtbot):
    panel.show_network(described(), ())
    with qtbot.waitExposed(panel):
        panel.show()
    letter = panel.fontMetrics().averageCharWidth()
    panel.resize(60 * letter, 400)
    assert not tree(panel).isColumnHidden(1)
    panel.resize(panel.minimumSizeHint().width(), 400)
    assert tree(panel).isColumnHidden(1) == (panel.width() < 38 * letter)


def test_the_count_takes_no_more_lines_than_its_text(panel):
    panel.setMinimumWidth(100)
    count, lines = panel.findChild(QLabel, "trainableCount"), []
    for width in (640, 100, 640):
        panel.resize(width, 400)
        panel.show()
        lines.append(count.minimumHeight() // count.fontMetrics().height())
    assert lines[0] == lines[2] == 1 < lines[1]


def test_a_large_network_is_shown_at_once(panel):
    shapes = {
        f"layer{stage}.{block}.conv{conv}.weight": (256, 256, 3, 3)
        for stage in range(10)
        for block in range(40)
        for conv in range(5)
    }
    begun = time.perf_counter()
    panel.show_network(described("huge", shapes | dict.fromkeys((*HEAD, *LAST_STAGE), (1,))), ())
    panel.store.update_recipe(frozen=("all-but-head",))
    assert time.perf_counter() - begun < 0.5


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (99_999, "99,999"),
        (100_000, "100 k"),
        (999_499, "999 k"),
        (999_999, "1.0 M"),
        (11_181_642, "11.2 M"),
        (632_045_800, "632 M"),
    ],
)
def test_sizes_are_short(count, text):
    assert short_count(count) == text


def test_the_dialog_shows_every_module_and_copies_them(qtbot):
    dialog = NetworkDialog(described())
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    items = dialog.findChild(QTreeWidget, "networkTree")
    top = items.topLevelItem(0)
    assert (top.text(0), top.text(1), top.childCount()) == ("small", "SmallNet", 3)
    assert top.child(1).child(0).text(2) == "64 × 16 × 16"
    press(qtbot, dialog, "copyNetwork")
    text = QGuiApplication.clipboard().text()
    assert text == network_text(described())
    lines = text.splitlines()
    assert "5 classes" in lines[0]
    assert lines[6].split() == ["0", "BasicBlock", "64", "×", "16", "×", "16", "36,864"]
    assert lines[6].startswith("    0")
    assert "–" in lines[7]
    assert len({len(line) for line in lines[2:]}) == 1


def test_below_its_branch_a_parameter_needs_no_more_than_the_end_of_its_name(qtbot, panel):
    panel.show_network(described(), ())
    tree = panel.findChild(QTreeView, "layerTree")
    shown = tree.itemDelegateForColumn(0).displayText
    assert shown("layer1.0.conv1.weight", QLocale()) == "weight"
    assert (shown("layer1", QLocale()), shown("scale", QLocale())) == ("layer1", "scale")


# --- by stage -----------------------------------------------------------------------------------

EPOCH, RATE = 3, 4


@pytest.fixture
def by_stage(panel, qtbot):
    """The panel, shown, with the epochs of stages; the first unfreezes in epoch 2."""
    panel.show_network(described(), ("all-but-head",))
    panel.store.update_recipe(freeze_epochs=1, minutes=0.0, epochs=9)
    panel.resize(360, 520)
    with qtbot.waitExposed(panel):
        panel.show()
    press(qtbot, panel, "unfreeze_schedule")
    return panel


def column(panel, number):
    shown = [(row.data(), row.siblingAtColumn(number).data()) for row in rows(tree(panel).model())]
    return {name: text for name, text in shown if text}


def edit(qtbot, panel, text) -> QSpinBox:
    """The editor that F2 opens in the row of this text."""
    view = tree(panel)
    view.setFocus()
    view.setCurrentIndex(find(panel, text))
    qtbot.keyClick(view, Qt.Key.Key_F2)
    editor = view.findChild(QSpinBox)
    assert editor is not None
    qtbot.waitUntil(editor.hasFocus)
    return editor


def close(qtbot, panel, editor, key=Qt.Key.Key_Return):
    """Ends the editing; Qt takes the value when the key has been handled."""
    qtbot.keyClick(editor, key)
    qtbot.waitUntil(lambda: not tree(panel).findChildren(QSpinBox))


def test_what_nobody_uses_is_hidden(panel):
    panel.show_network(described(), ())
    assert tree(panel).isColumnHidden(EPOCH)
    assert tree(panel).isColumnHidden(RATE)
    assert not panel.findChild(QPushButton, "unfreeze_schedule").isChecked()
    panel.store.update_recipe(layer_decay=0.5, mode="transfer")
    assert not tree(panel).isColumnHidden(RATE)
    rates = {"conv1": "× 0.12", "bn1": "× 0.12", "scale": "× 0.12", "layer1": "× 0.25"}
    assert column(panel, RATE) == {**rates, "0": "× 0.5", "fc": "× 1"}
    panel.store.update_recipe(mode="scratch")
    assert tree(panel).isColumnHidden(RATE)


def test_stages_come_into_sight_with_their_epochs(by_stage):
    assert not tree(by_stage).isColumnHidden(EPOCH)
    assert tree(by_stage).isExpanded(find(by_stage, "layer2"))
    assert not tree(by_stage).isExpanded(find(by_stage, "layer1"))
    epochs = dict.fromkeys(("conv1", "bn1", "scale", "layer1", "0"), "epoch 2")
    assert column(by_stage, EPOCH) == {**epochs, "fc": "start"}
    assert by_stage.store.session.recipe.unfreeze_schedule == ()


def test_an_epoch_is_chosen_by_keyboard(by_stage, qtbot):
    editor = edit(qtbot, by_stage, "layer1")
    assert editor.accessibleName() == "The epoch from which layer1 trains"
    assert editor.text() == "epoch 2"
    qtbot.keyClicks(editor, "4")
    close(qtbot, by_stage, editor)
    assert column(by_stage, EPOCH)["layer1"] == "epoch 4"
    assert by_stage.store.session.recipe.unfreeze_schedule == (
        "conv1=2", "bn1=2", "scale=2", "layer1=4", "layer2.0=2",
    )  # fmt: skip
    qtbot.waitUntil(lambda: QApplication.focusWidget() is tree(by_stage))
    assert tree(by_stage).currentIndex().siblingAtColumn(0) == find(by_stage, "layer1")


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ((Qt.Key.Key_Up,), "epoch 3"),
        ((Qt.Key.Key_Down,), "start"),
        ((Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down), "never"),
        (("never",), "never"),
        (("Start",), "start"),
        (("epoch 7",), "epoch 7"),
        (("123456",), "epoch 10,000"),
        (("sometime",), "epoch 2"),
        (("",), "epoch 2"),
    ],
)
def test_what_is_typed(by_stage, qtbot, keys, shown):
    editor = edit(qtbot, by_stage, "layer1")
    editor.selectAll()
    for key in keys:
        if isinstance(key, str):
            qtbot.keyClick(editor, Qt.Key.Key_Backspace)
            qtbot.keyClicks(editor, key)
        else:
            qtbot.keyClick(editor, key)
    close(qtbot, by_stage, editor)
    assert column(by_stage, EPOCH)["layer1"] == shown
    assert (state(by_stage, "layer1") == CHECKED) == (shown != "start")


def test_escape_changes_nothing(by_stage, qtbot):
    before = by_stage.store.session
    editor = edit(qtbot, by_stage, "layer1")
    qtbot.keyClicks(editor, "4")
    close(qtbot, by_stage, editor, Qt.Key.Key_Escape)
    assert by_stage.store.session == before


def test_what_is_typed_counts_if_the_window_closes(by_stage, qtbot):
    qtbot.keyClicks(edit(qtbot, by_stage, "layer1"), "7")
    by_stage.close()
    assert column(by_stage, EPOCH)["layer1"] == "epoch 7"


def test_a_click_edits_too_and_rows_of_no_stage_do_not(by_stage, qtbot):
    view = tree(by_stage)
    for text, editors in (("layer2", 0), ("bn1", 1)):
        place = view.visualRect(find(by_stage, text).siblingAtColumn(EPOCH)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert len(view.findChildren(QSpinBox)) == editors
    close(qtbot, by_stage, view.findChild(QSpinBox), Qt.Key.Key_Escape)
    view.setCurrentIndex(find(by_stage, "layer2"))
    assert not view.edit_epoch(view.currentIndex())


def test_parameters_that_differ_are_mixed(by_stage):
    by_stage.store.update_recipe(unfreeze_schedule=("bn1.bias=5",))
    assert column(by_stage, EPOCH)["conv1"] == "mixed"


def test_a_schedule_is_shown_and_taken_away(panel, qtbot):
    panel.show_network(described(), ("all-but-head",))
    panel.store.update_recipe(unfreeze_schedule=("layer1=3",), freeze_epochs=0)
    button = panel.findChild(QPushButton, "unfreeze_schedule")
    assert button.isChecked()
    assert column(panel, EPOCH)["layer1"] == "epoch 3"
    assert "until the epoch beside them" in " ".join(
        each.text() for each in panel.findChildren(QLabel)
    )
    press(qtbot, panel, "unfreeze_schedule")
    assert panel.store.session.recipe.unfreeze_schedule == ()
    assert column(panel, EPOCH)["layer1"] == "never"
    assert not button.isChecked()
    assert tree(panel).isColumnHidden(EPOCH)


def test_nothing_is_frozen_while_another_network_is_being_described(panel):
    panel.show_network(described(), ())
    panel.store.update(network=None)
    index = find(panel, "scale")
    assert not index.flags() & Qt.ItemFlag.ItemIsUserCheckable
    assert not tree(panel).model().setData(index, CHECKED, Qt.ItemDataRole.CheckStateRole)
    for name in ("freezeAllButHead", "freezeNothing", "unfreeze_schedule"):
        assert not panel.findChild(QPushButton, name).isEnabled()
    assert panel.told == []
    panel.store.update(network=described("other"))
    for name in ("freezeAllButHead", "freezeNothing", "unfreeze_schedule"):
        assert panel.findChild(QPushButton, name).isEnabled()
    tree(panel).model().setData(find(panel, "scale"), CHECKED, Qt.ItemDataRole.CheckStateRole)
    assert panel.told == [("scale",)]
