"""What the window's tests share: its looks, settings that are thrown away, and jobs that end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from scripted import Script

from flowergui import tasks
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.style import theme
from flowergui.desktop.threads import worker
from flowergui.store import library


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Path:
    """The window's settings of this test alone."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session", autouse=True)
def _dressed(qapp: QApplication) -> None:
    """Widgets are as large as their users see them, whichever test came before."""
    theme.apply(qapp, "light")


@pytest.fixture(autouse=True)
def _nothing_outlives_its_test(qapp: QApplication) -> Iterator[None]:
    """No worker, no other theme, and nothing on the clipboard: Python objects there crash Qt at its
    end."""
    yield
    assert worker.end_all(20_000)
    qapp.clipboard().clear()
    if theme.scheme() != "light":
        theme.apply(qapp, "light")


@pytest.fixture
def script(tmp_path, monkeypatch) -> Script:
    run = tmp_path / "run"
    run.mkdir()
    made = Script(run)
    made.holds.set()
    made.explains.set()
    for name in (
        "inspect", "sample", "list_models", "describe_model", "train", "resume",
        "history", "predict", "save_weights", "check_resume", "estimate", "evaluate", "compare",
        "compare_networks", "cross_validate", "learning_curve",
    ):  # fmt: skip
        monkeypatch.setattr(tasks, name, getattr(made, name))
    monkeypatch.setattr(library, "find_runs", made.listed)
    monkeypatch.setattr(
        library,
        "run_of",
        lambda path: next((run for run in made.runs if path in (run.last, run.best)), None),
    )
    monkeypatch.setattr(library, "bare_weights", lambda: made.bare)
    monkeypatch.setattr(library, "saved_weights", lambda model: list(made.files))
    return made


@pytest.fixture
def window(qtbot, script):
    made = MainWindow()  # not qtbot.addWidget: that would delete it before its run has ended
    made.show()
    qtbot.waitUntil(lambda: bool(script.of("describe")))
    yield made
    script.full = False
    script.holds.set()
    script.explains.set()
    made.controllers.training.stop()
    for _ in range(100):
        script.gate.release()
    qtbot.waitUntil(lambda: made.session.run == "idle")
    made.close()
    qtbot.waitUntil(lambda: not made.isVisible())  # by itself, when its jobs are over
    made.deleteLater()


@pytest.fixture
def photos(tmp_path) -> str:
    folder = tmp_path / "photos"
    folder.mkdir()
    return str(folder)
