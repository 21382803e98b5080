"""Which weights transfer starts from: a version that torchvision offers, or a file."""

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowergui.desktop.card import fine_percent, small_label
from flowergui.desktop.file_choice import CHECKPOINTS, choose_file
from flowergui.desktop.setting_editors import ChoiceBox
from flowergui.events import ModelFacts, WeightsFacts

IMAGENET = "imagenet"
"""The best weights that a network has; the other values are versions, or paths."""
_FILE = "\0file"


class WeightsSelector(QWidget):
    """Asks for pretrained weights of the chosen network."""

    weights_changed = Signal(str)
    """Other weights are chosen: imagenet, a version's name, a path, or "" for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: ModelFacts | None = None
        self._file = ""
        self._weights = IMAGENET
        self._box = ChoiceBox()
        self._box.setObjectName("weights")
        self._box.setAccessibleName("Weights")
        self._box.setToolTip(
            "<qt>What the network knows before it sees your photos. ImageNet weights have "
            "learned from 1.2 million photos of 1,000 kinds of things.</qt>"
        )
        self._box.activated.connect(self._activated)
        self._box.edited.connect(self._changed)
        self._caption = small_label()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._box)
        column.addWidget(self._caption)
        self._fill()

    @property
    def weights(self) -> str:
        """imagenet, the name of a version, the path of a file, or "" where nothing can be had."""
        return self._weights

    @weights.setter
    def weights(self, value: str) -> None:
        if Path(value).suffix:
            self._file = value
        self._wish(value)

    def show_model(self, facts: ModelFacts | None) -> None:
        """Offers the weights of this network (None: not known yet). A file that was chosen for
        another network is offered no longer."""
        if self._facts and facts and facts.name != self._facts.name:
            self._file = ""
        self._facts = facts
        self._wish(self._weights or IMAGENET)

    def _wish(self, value: str) -> None:
        """Chooses `value` where it is offered, else the best there is."""
        before = self._weights
        self._fill(value)
        self._box.blockSignals(True)
        self._box.setCurrentIndex(max(0, self._box.findData(self._offered(value))))
        self._box.blockSignals(False)
        self._weights = self._chosen()
        self._show()
        if self._weights != before:
            self.weights_changed.emit(self._weights)

    def _offered(self, value: str) -> str:
        if self._facts and self._facts.weights and value == self._facts.weights[0].name:
            return IMAGENET
        return value

    def _fill(self, wish: str = IMAGENET) -> None:
        self._box.blockSignals(True)
        self._box.clear()
        if self._facts is None:
            self._box.addItem("ImageNet", IMAGENET)
            if wish not in (IMAGENET, self._file):
                self._box.addItem(wish, wish)  # the catalogue will know it
        else:
            for row, each in enumerate(self._facts.weights):
                self._box.addItem(_label(each), each.name if row else IMAGENET)
        if self._file:
            self._box.addItem(Path(self._file).name, self._file)
        elif self._facts is not None and not self._facts.weights:
            self._box.addItem("None yet", "")
        self._box.addItem("A file of mine …", _FILE)
        self._box.blockSignals(False)

    def _show(self) -> None:
        self._box.setToolTip(self._file if self._weights == self._file else self._box.toolTip())
        if self._facts and not self._facts.weights and not self._file:
            self._caption.setText(
                f"There are no ImageNet weights for {self._facts.name}: choose a file, or "
                "another network."
            )
        elif self._weights == self._file and self._file:
            self._caption.setText(f"From {Path(self._file).parent}")
        elif facts := self._version():
            self._caption.setText(
                f"Made for {facts.image_size} px. Downloaded once, {facts.megabytes:,.0f} MB."
            )
        else:
            self._caption.setText("Learned from 1.2 million photos. Downloaded once.")

    def _version(self) -> WeightsFacts | None:
        versions = self._facts.weights if self._facts else ()
        row = self._box.currentIndex()
        return versions[row] if 0 <= row < len(versions) else None

    def _chosen(self) -> str:
        value = self._box.value()
        return "" if value == _FILE else value

    @Slot(int)
    def _activated(self, row: int) -> None:
        if self._box.itemData(row) == _FILE:
            self._wish(self._weights)
            choose_file(self, "Choose weights", CHECKPOINTS, self._take_file)

    @Slot(str)
    def _take_file(self, path: str) -> None:
        self.weights = path

    @Slot()
    def _changed(self) -> None:
        if self._box.value() == _FILE:
            return  # `_activated` asks for it
        self._weights = self._chosen()
        self._show()
        self.weights_changed.emit(self._weights)


def _label(facts: WeightsFacts) -> str:
    """ImageNet V2 · 80.9 %: where the name is IMAGENET1K_V2."""
    name = facts.name.removeprefix("IMAGENET1K_").replace("_", " ")
    return f"ImageNet {name} · {fine_percent(facts.accuracy)}"
