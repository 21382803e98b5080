"""2 Start from: scratch, resume or transfer, and what each of them needs."""

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QLabel, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop.run_names import ResumableRun
from flowergui.desktop.start_from.model_selector import ModelSelector
from flowergui.desktop.start_from.resume_check_panel import ResumeCheckPanel
from flowergui.desktop.start_from.run_list import RunList
from flowergui.desktop.start_from.weights_selector import WeightsSelector
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card, Segments
from flowergui.desktop.widgets.labels import small_label
from flowergui.events import DownloadProgress, ModelsListed

MODES = {
    "scratch": "Learns everything from your photos alone. Choose it when you have thousands "
    "of them, or want to see learning from the very start.",
    "resume": "Goes on exactly where a run stopped. Choose it to finish a run, or to give it "
    "more epochs.",
    "transfer": "Starts from weights that know how to see already. Choose it when you have "
    "fewer than a few thousand photos: it is faster, and nearly always better.",
}
"""The modes, and what each does and when to choose it."""


class ModeSelector(Card):
    """Asks where a run starts."""

    mode_changed = Signal(str)
    """scratch, resume or transfer."""
    model_changed = Signal(str)
    """The network of a new run is another."""
    weights_changed = Signal(str)
    """The weights that transfer starts from are others: imagenet, a version, a path, or ""."""
    save_weights_requested = Signal()
    """The user wants the chosen weights as a file, for use offline."""
    cancel_weights_requested = Signal()
    """The user doesn't want to wait for that file any more."""
    checkpoint_changed = Signal(str)
    """The checkpoint to resume is another, "" for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("2  Start from", parent)
        self._mode = "scratch"
        self._buttons: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        for mode, sentence in MODES.items():
            button = QPushButton(mode.capitalize())
            button.setObjectName(f"mode{mode.capitalize()}")
            button.setToolTip(f"<qt>{sentence}</qt>")
            button.toggled.connect(self._toggled)
            self._buttons[mode] = button
            self._group.addButton(button)
        self.body.addWidget(Segments(self._buttons.values()))
        self._sentence = small_label()
        self.body.addWidget(self._sentence)
        self._models = ModelSelector()
        self._models.model_changed.connect(self._model_chosen)
        self._weights = WeightsSelector()
        self._weights.weights_changed.connect(self.weights_changed)
        self._weights.save_requested.connect(self.save_weights_requested)
        self._weights.cancel_requested.connect(self.cancel_weights_requested)
        self._runs = RunList()
        self._runs.checkpoint_changed.connect(self.checkpoint_changed)
        self._model_part = self._models
        self._weights_part = _part("Weights", self._weights)
        self.resume_check = ResumeCheckPanel()
        self._runs_part = _part("Run", self._runs, self.resume_check)
        for part in (self._model_part, self._weights_part, self._runs_part):
            self.body.addWidget(part)
        self._buttons[self._mode].setChecked(True)
        self._show()

    # --- for the window -------------------------------------------------------------------

    @property
    def mode(self) -> str:
        """scratch, resume or transfer."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._buttons[mode].setChecked(True)

    @property
    def model(self) -> str:
        """The network of a new run."""
        return self._models.model

    @model.setter
    def model(self, name: str) -> None:
        self._models.model = name

    @property
    def weights(self) -> str:
        """What transfer starts from: imagenet, a version's name, a path, or "" for nothing."""
        return self._weights.weights

    @weights.setter
    def weights(self, weights: str) -> None:
        self._weights.weights = weights

    @property
    def checkpoint(self) -> str:
        """The checkpoint to resume; empty where there is none."""
        return self._runs.checkpoint

    @checkpoint.setter
    def checkpoint(self, path: str) -> None:
        self._runs.checkpoint = path

    @Slot(object)
    def show_catalogue(self, catalogued: ModelsListed) -> None:
        """Every architecture is known now."""
        self._models.set_catalogue(catalogued.models)
        self._weights.show_model(self._models.facts)

    def set_runs(self, runs: Sequence[ResumableRun]) -> None:
        """What can be resumed, newest first. What was chosen stays; else the newest is."""
        self._runs.set_runs(runs)

    def set_saved_weights(self, files: Sequence[str]) -> None:
        """Files with weights of the chosen network that were saved for use offline."""
        self._weights.set_saved(files)

    def show_saving_weights(self, progress: DownloadProgress | None) -> None:
        """How far the file that is wanted is; None where nothing is waited for any more."""
        self._weights.show_saving(progress)

    def set_running(self, running: bool) -> None:
        """While a run goes, where it started from can't change."""
        parts = (self._model_part, self._weights_part, self._runs_part)
        for widget in (*self._buttons.values(), *parts):
            widget.setEnabled(not running)

    # --- what it shows --------------------------------------------------------------------

    def _show(self) -> None:
        self._sentence.setText(MODES[self._mode])
        self._model_part.setVisible(self._mode != "resume")
        self._weights_part.setVisible(self._mode == "transfer")
        self._runs_part.setVisible(self._mode == "resume")

    @Slot(bool)
    def _toggled(self, on: bool) -> None:
        mode = next((m for m, button in self._buttons.items() if button.isChecked()), self._mode)
        if on and mode != self._mode:
            self._mode = mode
            self._show()
            self.mode_changed.emit(mode)

    @Slot(str)
    def _model_chosen(self, name: str) -> None:
        self._weights.show_model(self._models.facts)
        self.model_changed.emit(name)


def _part(title: str, *content: QWidget) -> QWidget:
    part = QWidget()
    heading = QLabel(title)
    theme.style(heading, role="heading")
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    column.addWidget(heading)
    for widget in content:
        column.addWidget(widget)
    return part
