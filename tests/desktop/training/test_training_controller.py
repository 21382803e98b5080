"""Start, pause and stop, of runs that are written here."""

import time

from PySide6.QtWidgets import QWidget

from flowergui.desktop.session import RunState, Store
from flowergui.desktop.training.training_controller import SHOW_MS, TrainingController


class Painted(QWidget):
    """Counts how often it was painted."""

    paints = 0

    def paintEvent(self, event):
        self.paints += 1


def test_a_run_begins_once_the_window_shows_it(qtbot):
    """Beside a busy thread painting takes three times as long."""
    window, control, seen = Painted(), TrainingController(Store()), []
    qtbot.addWidget(window)
    control.changed.connect(lambda state: window.update())

    def job(live):
        seen.append(window.paints)
        yield from ()

    with qtbot.waitExposed(window):
        window.show()
    before = window.paints
    with qtbot.waitSignal(control.changed, check_params_cb=lambda now: now == RunState.IDLE):
        control.begin(job)
        time.sleep(SHOW_MS / 3_000)  # a thread that is there already would use it
    assert seen[0] > before


def test_a_run_that_is_stopped_at_once_hears_of_it(qtbot):
    control, stops = TrainingController(Store()), []

    def job(live):
        stops.append(live.stop)
        yield from ()

    control.begin(job)
    control.stop()
    assert control.state == RunState.STOPPING
    qtbot.waitUntil(lambda: control.state == RunState.IDLE)
    assert stops == [True]


def test_a_second_run_does_not_begin_beside_the_first(qtbot):
    control, begun = TrainingController(Store()), []

    def job(name):
        def events(live):
            begun.append(name)
            yield from ()

        return events

    control.begin(job("first"))
    live = control.live
    control.begin(job("second"))
    assert control.live is live
    qtbot.waitUntil(lambda: control.state == RunState.IDLE)
    assert begun == ["first"]
