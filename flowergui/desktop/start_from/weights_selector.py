"""Which weights transfer starts from: a version that torchvision offers, or a file."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowergui.desktop.settings.setting_editors import ChoiceEditor
from flowergui.desktop.widgets.file_dialogs import CHECKPOINTS, choose_file
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.events import (
    DownloadProgress,
)
from flowergui.facts import (
    ModelFacts,
    WeightsFacts,
)
from flowergui.text import (
    fine_percent,
)

IMAGENET = "imagenet"
"""The best weights that a network has; the other values are versions, or paths."""
TIP = (
    "<qt>What the network knows before it sees your photos. ImageNet weights have "
    "learned from 1.2 million photos of 1,000 kinds of things.</qt>"
)
_FILE = "\0file"


class WeightsSelector(QWidget):
    """Asks for pretrained weights of the chosen network."""

    weights_changed = Signal(str)
    """Other weights are chosen: imagenet, a version's name, a path, or "" for none."""
    save_requested = Signal()
    """The user wants the chosen version as a file, for use offline."""
    cancel_requested = Signal()
    """The user doesn't want to wait for that file any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: ModelFacts | None = None
        self._file = ""
        self._saved: tuple[str, ...] = ()
        self._saving = False
        self._weights = IMAGENET
        self._box = ChoiceEditor()
        self._box.setObjectName("weights")
        self._box.setAccessibleName("Weights")
        self._box.setToolTip(TIP)
        self._box.activated.connect(self._activated)
        self._box.edited.connect(self._changed)
        self._caption = small_label()
        self._save = quiet_button("", "saveWeightsButton", flush=True)
        self._save.clicked.connect(self._save_or_cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._box)
        column.addWidget(self._caption)
        column.addWidget(self._save, 0, Qt.AlignmentFlag.AlignLeft)
        self._fill()
        self._show()

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
            self._saved = ()
        self._facts = facts
        self._wish(self._weights or IMAGENET)

    def set_saved(self, files: Sequence[str]) -> None:
        """Offers these files too: weights of this network that were saved for use offline."""
        self._saved = tuple(files)
        self._wish(self._weights)

    def show_saving(self, progress: DownloadProgress | None) -> None:
        """How far the file that is wanted is; None where nothing is waited for any more."""
        self._saving = progress is not None
        self._show()
        if progress is not None:
            done, total = (count // 10**6 for count in (progress.done, progress.total))
            of = f" of {total:,}" if progress.total else ""
            self._caption.setText(f"Downloading: {done:,}{of} MB")

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
            if wish not in (IMAGENET, *self._files()):
                self._box.addItem(wish, wish)  # the catalogue will know it
        else:
            for row, each in enumerate(self._facts.weights):
                self._box.addItem(_label(each), each.name if row else IMAGENET)
        for path in self._files():
            self._box.addItem(Path(path).name, path)
        if not self._files() and self._facts is not None and not self._facts.weights:
            self._box.addItem("None yet", "")
        self._box.addItem("A file of mine …", _FILE)
        self._box.blockSignals(False)

    def _files(self) -> list[str]:
        """The files that are offered; the one that was chosen by hand last."""
        return list(dict.fromkeys((*self._saved, *([self._file] if self._file else []))))

    def _show(self) -> None:
        of_a_file = self._weights in self._files()
        self._box.setToolTip(self._weights if of_a_file else TIP)
        self._save.setText("Cancel" if self._saving else "Save pretrained weights")
        self._save.setToolTip(
            "" if self._saving else "Keeps them among your models, for use without the internet."
        )
        self._save.setVisible(self._saving or self._version() is not None)
        if self._facts and not self._facts.weights and not self._files():
            self._caption.setText(
                f"There are no ImageNet weights for {self._facts.name}: choose a file, or "
                "another network."
            )
        elif of_a_file:
            self._caption.setText(f"From {Path(self._weights).parent}")
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

    @Slot()
    def _save_or_cancel(self) -> None:
        (self.cancel_requested if self._saving else self.save_requested).emit()

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
    """ImageNet V2 · 80.9%: where the name is IMAGENET1K_V2."""
    name = facts.name.removeprefix("IMAGENET1K_").replace("_", " ")
    return f"ImageNet {name} · {fine_percent(facts.accuracy)}"
