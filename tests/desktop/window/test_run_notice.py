"""The title tells how far a run is, and who has looked away is told when a long one is over."""

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QProcess, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget
from scripted import BATCHES, banner_text, button, open_photos, start

from flowergui.desktop.session import RunState, Session, Store
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.window import run_notice
from flowergui.desktop.window.run_notice import LONG_RUN_S, RunNotice
from flowergui.store import paths


def test_the_title_says_what_is_open_and_how_far_the_run_is(
    qtbot, window, script, photos, tmp_path
):
    assert window.windowTitle() == "Flowergui"
    open_photos(qtbot, window, photos)
    assert window.windowTitle() == "photos – Flowergui"
    start(qtbot, window, photos)
    assert window.windowTitle() == "0% · photos – Flowergui"
    for _ in range(BATCHES + 1):
        script.gate.release()
    qtbot.waitUntil(lambda: window.windowTitle() == "62% · photos – Flowergui")
    button(window, "stopButton").click()
    script.gate.release()
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert window.windowTitle() == "photos – Flowergui"


class Desk:
    """A window that can be looked at or not, a run, and a clock."""

    def __init__(self, qtbot, monkeypatch) -> None:
        self.now = 0.0
        self.alerts: list[QWidget] = []
        self.messages: list[tuple[str, str]] = []
        self.active: object = None
        self.has_tray = True
        monkeypatch.setattr(QApplication, "alert", self.alerts.append)
        monkeypatch.setattr(QApplication, "activeWindow", lambda: self.active)
        monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: self.has_tray)
        monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", lambda: True)
        monkeypatch.setattr(
            QSystemTrayIcon,
            "showMessage",
            lambda tray, title, text, icon: self.messages.append((title, text)),
        )
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.banner = Banner(self.window)
        dataset = SimpleNamespace(folder="/photos/Roses")
        self.store = Store(Session(dataset=dataset), self.window)
        training = TrainingController(self.store, self.window)
        self.notice = RunNotice(
            self.store, training, self.banner, self.window, clock=lambda: self.now
        )

    def run(self, seconds: float) -> None:
        self.store.update(run=RunState.RUNNING)
        self.now += seconds
        self.banner.show_success("Done: best validation accuracy 86.3% (epoch 12).")
        self.store.update(run=RunState.IDLE)


@pytest.fixture
def desk(qtbot, monkeypatch) -> Desk:
    return Desk(qtbot, monkeypatch)


@pytest.mark.qt_log_ignore("systemTrayWindowChanged", extend=True)  # there is none offscreen
def test_the_end_of_a_long_run_is_told(desk, qapp):
    qapp.setWindowIcon(QIcon(str(paths.resource("icons/flowergui.svg"))))
    desk.run(LONG_RUN_S)
    assert desk.alerts == [desk.window]
    assert desk.messages == [
        ("Roses – Flowergui", "Done: best validation accuracy 86.3% (epoch 12).")
    ]
    tray = desk.window.findChild(QSystemTrayIcon)
    assert tray.isVisible()
    qapp.applicationStateChanged.emit(Qt.ApplicationState.ApplicationActive)
    assert not tray.isVisible()
    tray.messageClicked.emit()
    assert desk.window.isVisible()


def test_a_short_run_is_not(desk):
    desk.run(LONG_RUN_S - 1)
    assert (desk.alerts, desk.messages) == ([], [])


def test_nor_is_one_that_was_looked_at(desk):
    desk.active = desk.window
    desk.run(LONG_RUN_S)
    assert (desk.alerts, desk.messages) == ([], [])


def test_without_a_tray_a_linux_desktop_shows_it_by_its_own_program(desk, monkeypatch):
    started = []
    monkeypatch.setattr(run_notice.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(QProcess, "startDetached", lambda *call: started.append(call))
    desk.has_tray = False
    desk.run(LONG_RUN_S)
    ((program, arguments),) = started
    assert program == "/usr/bin/notify-send"
    text = "Done: best validation accuracy 86.3% (epoch 12)."
    assert arguments[-3:] == ["--", "Roses – Flowergui", text]


def test_without_a_tray_nothing_fails(desk, monkeypatch):
    monkeypatch.setattr(run_notice.shutil, "which", lambda name: None)
    desk.has_tray = False
    desk.run(LONG_RUN_S)
    assert desk.alerts == [desk.window]
    assert desk.messages == []
    assert desk.window.findChild(QSystemTrayIcon) is None


def test_in_the_window_nothing_is_told_of_a_short_run(qtbot, window, script, photos, monkeypatch):
    alerts = []
    monkeypatch.setattr(QApplication, "alert", alerts.append)
    start(qtbot, window, photos)
    for _ in range(script.epochs * BATCHES):
        script.gate.release()
    qtbot.waitUntil(lambda: "Done" in banner_text(window))
    qtbot.waitUntil(lambda: window.session.run == "idle")
    assert alerts == []
