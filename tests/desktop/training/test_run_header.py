"""The header: where the run stands, how fast it goes, how long it takes."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QProgressBar, QVBoxLayout, QWidget

from flowergui.config.recipe import Recipe
from flowergui.config.resizing import training_size
from flowergui.desktop.session import RunState, Session
from flowergui.desktop.training.eta import Eta
from flowergui.desktop.training.run_header import RunHeader
from flowergui.desktop.widgets.labels import ElidedLabel
from flowergui.events import (
    BatchDone,
    DownloadProgress,
    EpochDone,
    FeatureCacheStatus,
    Finished,
    Preparing,
    RunStarted,
    Saved,
    Stopped,
    ValidationProgress,
)
from flowergui.facts import WhyNotCached
from flowergui.text import clock

EPOCHS, BATCHES = 5, 10


def opened(validation_photos: int = 80, resumed: bool = False) -> RunStarted:
    return RunStarted(
        run="models/one",
        model="resnet18",
        mode="scratch",
        classes=("rose", "tulip"),
        train_photos=320,
        validation_photos=validation_photos,
        image_size=112,
        device="cpu",
        precision="float32",
        epochs=EPOCHS,
        batches=BATCHES,
        epoch=1,
        batch=0,
        step=0,
        trainable=10,
        parameters=10,
        frozen=(),
        resumed=resumed,
    )


def batch(epoch: int, number: int) -> BatchDone:
    step = (epoch - 1) * BATCHES + number
    return BatchDone(epoch, number, BATCHES, step, 1.0, 0.5, 0.001, 32)


def epoch_done(epoch: int, best: float = 0.863, best_epoch: int = 1) -> EpochDone:
    step = epoch * BATCHES
    return EpochDone(epoch, EPOCHS, step, 1.0, 0.5, 0.9, 0.6, best, best_epoch, 0.001, 7.0)


class Header:
    """A header with a clock of its own, and what it says."""

    def __init__(self, qtbot):
        self.now = 100.0
        self.widget = RunHeader(clock=lambda: self.now)
        qtbot.addWidget(self.widget)

    def feed(self, *events, after: float = 0.0):
        self.now += after
        self.widget.feed(events)
        self.widget._refresh()

    def run(self, state: RunState) -> None:
        """The run is in another state."""
        self.widget.show_session(Session(run=state))

    def __getattr__(self, name):
        label = self.widget.findChild(QLabel, f"run{name.title()}")
        return label.text().replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")

    @property
    def progress(self) -> float:
        bar = self.widget.findChild(QProgressBar, "runProgress")
        return bar.value() / bar.maximum() if bar.maximum() else -1.0


@pytest.fixture
def header(qtbot):
    return Header(qtbot)


def train_epoch(header, epoch, seconds=0.5, validation=3.0):
    for number in range(1, BATCHES + 1):
        header.feed(batch(epoch, number), after=seconds)
    header.feed(ValidationProgress(epoch, 1, 2), after=validation / 2)
    header.feed(ValidationProgress(epoch, 2, 2), after=validation / 2)
    header.feed(epoch_done(epoch))


def test_before_a_run(header):
    assert (header.line, header.state) == ("No run yet", "Ready")
    assert header.progress == 0


def test_preparing_and_downloading(header):
    header.run(RunState.RUNNING)
    assert header.state == "Starting"
    assert header.progress == -1.0
    header.feed(DownloadProgress("resnet18", 12_000_000, 46_000_000))
    assert header.line == "Downloading resnet18 (MB) · 12 of 46"
    header.feed(Preparing("Reading photos", 300, 1200))
    assert (header.line, header.state) == ("Reading photos · 300 of 1,200", "Preparing")
    assert header.progress == 0.25
    header.feed(Preparing("Listing photos", 20_000, 0))
    assert (header.line, header.progress) == ("Listing photos · 20,000", -1.0)
    header.feed(Preparing("Compiling the network", 0, 0))
    assert (header.line, header.progress) == ("Compiling the network", -1.0)


@pytest.mark.parametrize(
    ("device", "precision", "said"),
    [
        ("cpu", "bfloat16", "resnet18 · 112 px · on the CPU, in bfloat16"),
        ("cuda:0", "float16", "resnet18 · 112 px · on the GPU, in float16"),
        ("xpu", "float32", "resnet18 · 112 px · on xpu, in float32"),
    ],
)
def test_what_auto_came_to_is_said(header, device: str, precision: str, said: str):
    header.run(RunState.RUNNING)
    label = header.widget.findChild(QLabel, "runWhat")
    assert not label.isVisibleTo(header.widget)
    header.feed(replace(opened(), device=device, precision=precision))
    assert label.isVisibleTo(header.widget)
    assert header.what == said
    assert label.toolTip() == ""
    header.feed(Stopped("models/one", 1, 0))
    assert header.what == said


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "112 px"), (112, "112 px"), (96, "112 px, training 96 px"), (None, "112 px")],
)
def test_the_size_of_training_images_is_said_where_it_differs(header, size, said):
    header.run(RunState.RUNNING)
    header.feed(replace(opened(), device="cpu", precision="float32", training_size=size))
    assert header.what == f"resnet18 · {said} · on the CPU, in float32"


def test_a_precision_that_was_tried_says_how_it_did(header):
    header.run(RunState.RUNNING)
    header.feed(replace(opened(), precision="bfloat16", speedup=2.24))
    label = header.widget.findChild(QLabel, "runWhat")
    assert label.toolTip() == (
        "Both precisions were tried: bfloat16 is 2.2 times as fast as float32."
    )


def test_what_becomes_of_frozen_layers_is_said(header):
    header.run(RunState.RUNNING)
    label = header.widget.findChild(QLabel, "runFeatures")
    header.feed(opened())
    assert not label.isVisibleTo(header.widget)
    header.feed(FeatureCacheStatus(0, "train", "", 1, 0, WhyNotCached.SWITCHED_OFF))
    header.feed(FeatureCacheStatus(0, "validation", "memory", 1, 10))
    header.feed(batch(1, 1), after=1.0)
    assert label.isVisibleTo(header.widget)
    assert label.text() == (
        "The feature cache is off, so the frozen layers run for every image in every epoch."
    )
    header.feed(FeatureCacheStatus(9, "train", "memory", 4, 4_915_200))
    header.feed(batch(1, 2), after=1.0)
    assert label.text() == (
        "Feature cache: the frozen layers run once for each of 4 augmented versions of an image "
        "(4.9 MB in memory)."
    )


def test_where_it_stands_and_how_fast(header):
    header.feed(opened())
    assert header.line == "Epoch 1 of 5 · waiting for the first batch"
    header.feed(batch(1, 1), after=60.0)  # warming up is no measure
    for number in range(2, 6):
        header.feed(batch(1, number), after=0.5)
    # 45 batches of half a second, and five validations that cost 40% of a training photo
    # each: a quarter as many photos, so 5 * 10 * 0.5 * 0.4 / 4.
    assert header.line == "Epoch 1 of 5 · batch 5 of 10 · 64 images/s · 0:25 left"
    assert header.best == "The first validation comes at the end of this epoch."
    assert header.progress == pytest.approx(0.1)


def test_time_left_knows_what_validation_takes(header):
    header.feed(opened())
    train_epoch(header, 1)
    assert header.line.endswith(f"64 images/s · {clock(4 * (10 * 0.5 + 3.0))} left")
    assert header.best == "Best validation accuracy 86.3% (epoch 1)"
    train_epoch(header, 2)
    train_epoch(header, 3)
    assert header.best.endswith("(epoch 1) · no improvement for 2 epochs")


def test_a_nap_of_the_machine_spoils_no_estimate(header):
    header.feed(opened())
    train_epoch(header, 1)
    header.feed(batch(2, 1), after=3600.0)
    header.feed(batch(2, 2), after=0.5)
    assert header.line.endswith(f"{clock(8 * 0.5 + 3 * 5 + 4 * 3.0)} left")


def test_a_pause_is_no_measure(header):
    header.run(RunState.RUNNING)
    header.feed(opened())
    train_epoch(header, 1)
    header.run(RunState.PAUSING)
    assert header.state == "Pausing…"
    header.run(RunState.PAUSED)
    assert header.state == "Paused"
    assert header.line == "Epoch 1 of 5 · batch 10 of 10"
    header.now += 2.0
    header.run(RunState.RUNNING)
    assert header.state == "Training"
    header.feed(batch(2, 1), after=0.5)
    header.feed(batch(2, 2), after=0.5)
    assert "64 images/s" in header.line


def test_chunks_of_many_batches_are_measured_whole(header):
    header.feed(opened())
    header.feed(*(batch(1, number) for number in range(1, 6)), after=1.0)
    header.feed(*(batch(1, number) for number in range(6, 11)), epoch_done(1), after=0.05)
    assert "3,200 images/s" in header.line


def test_validating(header):
    header.feed(opened())
    header.feed(batch(1, 10), after=1.0)
    header.feed(ValidationProgress(1, 1, 3), after=1.0)
    assert "validating 1 of 3" in header.line
    assert header.state == "Validating"


def test_without_validation_photos(header):
    header.feed(opened(validation_photos=0), batch(1, 1))
    assert header.best == "There is no validation set, so there is no validation accuracy."


def test_the_ends(header):
    header.run(RunState.RUNNING)
    header.feed(opened())
    train_epoch(header, 1)
    header.run(RunState.STOPPING)
    assert header.state == "Stopping…"
    header.feed(Saved("last.pth", 1, 7), Stopped("models/one", 1, 7))
    assert (header.state, header.line) == ("Stopped", "Epoch 1 of 5 · batch 10 of 10")
    header.run(RunState.IDLE)
    header.run(RunState.RUNNING)
    header.feed(opened(resumed=True))
    header.widget.load([epoch_done(1)])
    assert header.best == "Best validation accuracy 86.3% (epoch 1)"
    for epoch in range(2, EPOCHS + 1):
        header.feed(epoch_done(epoch))
    header.feed(Finished("models/one", 5, 0.9, 4, 724.0))
    # as the table of runs has it: what the epochs took, those before it was resumed included
    assert (header.state, header.line) == ("Finished", "Finished 5 epochs in 0:35")
    assert header.progress == 1


def test_a_run_that_stops_after_an_epoch_says_so(header):
    header.feed(opened())
    train_epoch(header, 1)
    header.feed(Stopped("models/one", 2, 0))
    assert header.line == "Stopped after epoch 1 of 5"


@pytest.mark.parametrize("scanning", [True, False])
def test_a_run_that_is_stopped_before_its_first_batch_is_over(header, scanning):
    header.run(RunState.RUNNING)
    if scanning:
        header.feed(Preparing("Reading images", 3, 12))
    header.run(RunState.STOPPING)
    assert header.state == "Stopping…"
    header.run(RunState.IDLE)  # without a word of the run
    assert (header.state, header.line) == ("Stopped", "The run had not begun yet")
    assert header.progress == 0


def test_a_run_that_fails_before_it_began(header):
    header.run(RunState.RUNNING)
    header.widget.show_failed()
    assert header.state == "Failed"
    assert header.progress == 0


def test_a_run_that_fails_before_its_first_validation(header):
    header.feed(opened(), batch(1, 1))
    header.widget.show_failed()
    assert (header.state, header.best) == ("Failed", "It ended before its first validation.")


def test_the_text_changes_at_most_five_times_a_second(header, qtbot):
    header.feed(opened())
    header.widget.feed([batch(1, 1)])
    header.widget.feed([batch(1, 2)])
    assert "waiting" in header.line
    qtbot.waitUntil(lambda: "batch 2 of 10" in header.line)


@pytest.mark.parametrize("measured", [1, 10, 16])
def test_time_left_knows_that_images_grow(measured: int) -> None:
    """A batch takes as long as its images have pixels; validation takes no time here."""
    recipe = Recipe(epochs=20, first_training_size=64)
    started = replace(opened(validation_photos=0), image_size=128, epochs=20)
    sizes = [training_size(64, 128, epoch, 20) for epoch in range(1, 21)]
    assert sizes[0] == 64 < sizes[-1] == 128
    eta, now = Eta(started, recipe), 0.0
    eta.took([batch(1, 1)], now)
    for epoch in range(1, measured + 1):
        for number in range(2 if epoch == 1 else 1, BATCHES + 1):
            now += 1e-4 * sizes[epoch - 1] ** 2
            eta.took([batch(epoch, number)], now)
    left = sum(BATCHES * 1e-4 * size**2 for size in sizes[measured:])
    assert eta.seconds_left() == pytest.approx(left)


def test_nothing_measured_nothing_promised():
    pace = Eta(opened())
    pace.took([batch(1, 1)], 5.0)
    assert pace.seconds_left() is None
    assert pace.photos_per_second() is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0:00"), (59.6, "1:00"), (192, "3:12"), (3849, "1:04:09")]
)
def test_durations(seconds, text):
    assert clock(seconds) == text


def test_plots_below_it_stay_in_place_while_a_run_goes(qtbot):
    """Digits come and go, and lines wrap with them; there is room for that from the start."""
    page = QWidget()
    header, below = RunHeader(clock=lambda: 0.0), QLabel()
    layout = QVBoxLayout(page)
    layout.addWidget(header)
    layout.addWidget(below, 1)
    layout.setContentsMargins(0, 0, 0, 0)
    short = "Best validation accuracy 86.3% (epoch 1) and"
    page.resize(header.fontMetrics().horizontalAdvance(short), 500)
    qtbot.addWidget(page)
    page.show()

    def top(*events) -> int:
        header.feed(events)
        header._refresh()
        for _ in range(3):  # layouts tell each other, one inside another
            QApplication.processEvents()
        return below.y()

    begun = top(opened(), batch(1, 1))
    assert top(epoch_done(1)) == begun
    assert top(replace(epoch_done(4), best_epoch=1)) == begun
    assert top(epoch_done(5, best_epoch=5)) == begun
    assert top(FeatureCacheStatus(9, "train", "memory", 4, 4_915_200)) == begun
    assert top(Finished("models/one", EPOCHS, 0.9, 5, 60.0)) == begun


def test_a_narrow_header_leaves_out_what_matters_least(qtbot):
    now = [0.0]
    header = RunHeader(clock=lambda: now[0])
    qtbot.addWidget(header)
    header.feed([opened()])
    for number in range(1, 6):
        now[0] += 0.5
        header.feed([batch(1, number)])
    header._refresh()
    line = header.findChild(ElidedLabel, "runLine")
    line.resize(line.fontMetrics().horizontalAdvance(line.text()), 20)
    assert line.shown_text() == line.text()
    line.resize(line.width() - 1, 20)
    assert "images" not in line.shown_text()
    assert "batch 5 of 10" in line.shown_text()
    line.resize(line.width() // 2, 20)
    assert line.shown_text() == "Epoch 1 of 5 · 0:25 left"


def test_the_best_accuracy_is_the_figure_of_the_run(header):
    assert header.figure == ""
    header.feed(opened())
    train_epoch(header, 1)
    assert header.figure == "86.3%"
    header.feed(replace(epoch_done(2), best_accuracy=0.9, best_epoch=2))
    assert header.figure == "90.0%"
