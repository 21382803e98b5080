"""Theme, size and folders: asked for in a window, live, and kept."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)
from scripted import banner_text, button, find, open_photos, plot

from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.preferences.preferences import (
    ZOOM_STEPS,
    Preferences,
    read,
    settings_file,
    write,
)
from flowergui.desktop.preferences.preferences_dialog import PreferencesDialog
from flowergui.desktop.style import theme
from flowergui.desktop.style.theme import Scheme
from flowergui.desktop.window import language_controller
from flowergui.language import Language
from flowergui.store import paths


@pytest.fixture(autouse=True)
def _usual_size(qapp):
    yield
    theme.set_zoom(qapp, 100)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The user's home, whose configuration is thrown away."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    return tmp_path / "home"


def dialog(window) -> PreferencesDialog:
    find(window, QAction, "settingsAction").trigger()
    return find(window, PreferencesDialog, "settingsDialog")


def choose(box: QComboBox, value: object) -> None:
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_the_theme_is_another_at_once_and_at_the_next_start(qtbot, window):
    shown = dialog(window)
    choose(find(shown, QComboBox, "themeChoice"), Scheme.DARK)
    assert theme.current() is theme.DARK
    assert plot(window).findChild(QWidget, "lossPlot").backgroundBrush().color().name() == (
        theme.DARK.card
    )
    assert find(window, QAction, "themeDarkAction").isChecked()
    assert read(settings_file()) == Preferences(Scheme.DARK)
    find(window, QAction, "themeLightAction").trigger()
    assert theme.current() is theme.LIGHT
    assert find(shown, QComboBox, "themeChoice").currentData() == Scheme.LIGHT
    shown.close()


def test_text_and_the_room_around_it_grow_at_once(qtbot, window, qapp):
    label = find(window, QLabel, "runLine")
    before = label.font().pointSizeF(), label.parentWidget().layout().spacing()
    start = button(window, "startButton").sizeHint()
    shown = dialog(window)
    left = find(window, QWidget, "datasetPath").width()
    choose(find(shown, QComboBox, "zoomChoice"), 150)
    assert find(window, QWidget, "datasetPath").width() > left
    assert label.font().pointSizeF() == pytest.approx(1.5 * before[0], rel=0.05)
    assert label.parentWidget().layout().spacing() == round(1.5 * before[1])
    assert button(window, "startButton").sizeHint().height() > 1.3 * start.height()
    assert read(settings_file()).zoom == 150
    find(window, QAction, "zoomOutAction").trigger()
    assert find(shown, QComboBox, "zoomChoice").currentData() == 125
    find(window, QAction, "zoomResetAction").trigger()
    now = label.font().pointSizeF(), label.parentWidget().layout().spacing()
    assert now == before
    assert button(window, "startButton").sizeHint() == start
    shown.close()


def test_zoom_ends_at_the_smallest_and_the_largest():
    assert Preferences(zoom=200).zoomed(1) == 200
    assert Preferences(zoom=80).zoomed(-1) == 80
    assert Preferences().zoomed(2) == 125


@pytest.mark.parametrize("preferences", [Preferences(), Preferences(Scheme.DARK, 175)])
def test_what_is_written_is_read(preferences):
    settings = settings_file()
    write(settings, Preferences(Scheme.LIGHT, 80))
    write(settings, preferences)
    settings.sync()
    assert read(settings_file()) == preferences


@pytest.mark.parametrize(
    ("zoom", "step"),
    [("150", 150), ("151", 150), ("9" * 5_000, 100), ("-1", 80), ("1e2", 100), ("", 100),
     ("1000000", 200), (b"150", 100), (["150"], 100), (None, 100)],
)  # fmt: skip
def test_any_zoom_is_tolerated(zoom, step):
    settings = settings_file()
    settings.setValue("zoom", zoom)
    assert read(settings).zoom == step
    assert step in ZOOM_STEPS


@pytest.mark.parametrize("scheme", ["Dark", "", b"dark", ["dark"], 1, {"dark": 1}, None])
def test_any_theme_is_tolerated(scheme):
    settings = settings_file()
    settings.setValue("theme", scheme)
    assert read(settings).scheme == Scheme.SYSTEM


def test_the_environment_wins(qtbot, script, monkeypatch):
    monkeypatch.setenv("FLOWERGUI_THEME", "light")
    window = MainWindow()
    window.show()
    shown = dialog(window)
    box = find(shown, QComboBox, "themeChoice")
    assert (box.currentData(), box.isEnabled()) == (Scheme.LIGHT, False)
    choose(find(shown, QComboBox, "zoomChoice"), 110)
    assert theme.current() is theme.LIGHT
    assert read(settings_file()) == Preferences(zoom=110)
    shown.close()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible())
    window.deleteLater()


def test_another_language_is_asked_for(qtbot, window, monkeypatch):
    shown = dialog(window)
    box = find(shown, QComboBox, "languageChoice")
    names = ["As the system", "English", "简体中文"]
    assert [box.itemText(row) for row in range(box.count())] == names
    assert box.currentText() == "English"  # as the variable says
    with qtbot.waitSignal(window.language_due) as due:
        choose(box, Language.SIMPLIFIED_CHINESE)
    assert due.args == [Language.SIMPLIFIED_CHINESE]
    shown.close()
    monkeypatch.setenv("FLOWERGUI_LANGUAGE", "en")
    qtbot.waitUntil(lambda: window.findChild(PreferencesDialog) is None)
    shown = dialog(window)
    assert not find(shown, QComboBox, "languageChoice").isEnabled()
    shown.close()


def test_the_language_of_the_system_comes_back(qtbot, window, monkeypatch):
    monkeypatch.delenv("FLOWERGUI_LANGUAGE")
    monkeypatch.setattr(language_controller, "system_language", lambda: Language.ENGLISH)
    settings = window._settings
    settings.setValue("language", "en")
    for way in ("choice", "reset"):
        settings.setValue("language", "en")
        shown = dialog(window)
        box = find(shown, QComboBox, "languageChoice")
        assert box.currentText() == "English"
        if way == "choice":
            choose(box, "")
        else:
            reset(shown)
        assert settings.value("language") is None
        shown.close()
        qtbot.waitUntil(lambda: window.findChild(PreferencesDialog) is None)
    shown = dialog(window)
    assert find(shown, QComboBox, "languageChoice").currentText() == "As the system"
    shown.close()


def test_an_unknown_theme_is_refused_in_a_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "flowergui"],
        env={**_environment(tmp_path), "FLOWERGUI_THEME": "blue"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert "There is no theme 'blue' (FLOWERGUI_THEME)." in done.stderr
    assert "system, light, dark" in done.stderr
    assert "Traceback" not in done.stderr


def test_everything_is_as_in_a_new_program_again(qtbot, window, home, photos):
    shown = dialog(window)
    choose(find(shown, QComboBox, "themeChoice"), Scheme.DARK)
    choose(find(shown, QComboBox, "zoomChoice"), 125)
    open_photos(qtbot, window, photos)
    window.findChild(QPushButton, "foldLeftButton").click()
    window.findChild(QPushButton, "sectionImages").click()
    reset(shown)
    assert read(settings_file()) == Preferences()
    assert theme.zoom() == 100
    assert settings_file().allKeys() == []
    assert window.controllers.datasets.recent == []
    assert find(window, QLineEdit, "datasetPath").isVisible()
    assert window.session.dataset is not None  # what is open stays open
    window.centralWidget().save(settings_file())
    assert settings_file().allKeys() == []
    shown.close()


def reset(shown: PreferencesDialog) -> None:
    """Presses Reset, and answers the question with yes."""
    button(shown, "resetSettings").click()
    question = find(shown, QMessageBox, "resetQuestion")
    question.button(QMessageBox.StandardButton.Yes).click()


# --- folders ----------------------------------------------------------------------------------


def test_the_folder_of_runs_is_another_at_the_next_start(qtbot, window, home, monkeypatch):
    wanted = home / "Rosen 玫瑰"
    wanted.mkdir(parents=True)
    monkeypatch.delenv("FLOWERGUI_MODELS")
    before = str(paths.models_folder())
    shown = dialog(window)
    path = find(shown, QLabel, "modelsFolder")
    qtbot.waitUntil(lambda: path.text() == before)
    assert not find(shown, QLabel, "nextModelsFolder").isVisible()
    button(shown, "changeModelsFolder").click()
    asked = shown.findChild(QFileDialog)
    asked.setDirectory(str(wanted))
    asked.selectFile(str(wanted))
    asked.accept()
    following = find(shown, QLabel, "nextModelsFolder")
    qtbot.waitUntil(following.isVisible)
    assert str(wanted) in following.text()
    assert (path.text(), str(paths.models_folder())) == (before, before)
    assert _folder_of_another_process(home) == str(wanted)
    reset(shown)
    qtbot.waitUntil(lambda: not following.isVisible())
    assert _folder_of_another_process(home) == before
    shown.close()


@pytest.mark.parametrize("content", [b"", b"\0", b"relative", b"\n\n", b"\xff\xfe", b"x" * 9_999])
def test_a_spoilt_choice_of_a_folder_is_none(home, content):
    usual = _folder_of_another_process(home)
    choice = home / "config" / "flowergui" / "models-folder.txt"
    choice.parent.mkdir(parents=True)
    choice.write_bytes(content)
    assert _folder_of_another_process(home) == usual


def test_a_choice_that_cannot_be_kept_is_said(qtbot, window, home, monkeypatch):
    home.mkdir()
    (home / "config").write_text("no folder")
    monkeypatch.delenv("FLOWERGUI_MODELS")
    shown = dialog(window)
    qtbot.waitUntil(lambda: find(shown, QLabel, "modelsFolder").text() != "")
    shown.models_folder_requested.emit(str(home))
    problem = find(shown, QLabel, "settingsProblem")
    qtbot.waitUntil(problem.isVisible)
    assert "can't be written" in problem.text()
    shown.close()


def test_the_folder_that_the_environment_names_is_fixed(qtbot, window, models):
    shown = dialog(window)
    qtbot.waitUntil(lambda: find(shown, QLabel, "modelsFolder").text() == str(models))
    assert not button(shown, "changeModelsFolder").isEnabled()
    assert "FLOWERGUI_MODELS" in find(shown, QLabel, "nextModelsFolder").text()
    shown.close()


def test_the_folder_of_runs_is_shown_or_named(qtbot, window, models, monkeypatch):
    shown = dialog(window)
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    button(shown, "openModelsFolder").click()
    assert opened == [str(models)]
    assert str(models) in find(shown, QLabel, "settingsProblem").text()
    shown.close()
    find(window, QAction, "modelsFolderAction").trigger()
    assert str(models) in banner_text(window)


def test_the_cache_is_counted_and_cleared_after_a_question(qtbot, window):
    folder = paths.photo_cache_folder()
    folder.mkdir(parents=True)
    for name in ("a.rgb", "b.rgb"):
        (folder / name).write_bytes(b"0" * 1_500_000)
    shown = dialog(window)
    size = find(shown, QLabel, "cacheSize")
    qtbot.waitUntil(lambda: size.text() == "2 images, 3.0 MB")
    button(shown, "clearCache").click()
    question = find(shown, QMessageBox, "clearCacheQuestion")
    question.button(QMessageBox.StandardButton.Cancel).click()
    assert len(list(folder.iterdir())) == 2
    button(shown, "clearCache").click()
    question = [each for each in shown.findChildren(QMessageBox) if each.isVisible()][-1]
    question.button(QMessageBox.StandardButton.Yes).click()
    qtbot.waitUntil(lambda: size.text() == "Empty")
    assert not list(folder.iterdir())
    assert "Removed 3.0 MB" in banner_text(window)
    assert not button(shown, "clearCache").isEnabled()
    shown.close()


def test_every_field_has_a_name(window):
    shown = dialog(window)
    for kind in (QComboBox, QPushButton):
        for widget in shown.findChildren(kind):
            buddies = [each for each in shown.findChildren(QLabel) if each.buddy() is widget]
            assert widget.accessibleName() or buddies or (kind is QPushButton and widget.text())
    shown.close()


def _environment(tmp_path: Path) -> dict[str, str]:
    import os

    return {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def _folder_of_another_process(home: Path) -> str:
    environment = _environment(home)
    environment.pop("FLOWERGUI_MODELS", None)
    done = subprocess.run(
        [sys.executable, "-c", "from flowergui.store import paths; print(paths.models_folder())"],
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stdout.rstrip("\n")
