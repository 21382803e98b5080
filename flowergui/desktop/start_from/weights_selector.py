"""Which weights transfer starts from: a version that the catalogue offers, or a file."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from flowergui.desktop.session import Session, model_facts, offered_weights
from flowergui.desktop.settings.setting_editors import ChoiceEditor
from flowergui.desktop.widgets.file_dialogs import CHECKPOINTS, choose_file
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.events import DownloadProgress
from flowergui.facts import ModelFacts, WeightsFacts
from flowergui.system.pip_commands import install_command
from flowergui.text import N_, fine_percent, megabytes, tr

IMAGENET = "imagenet"
"""The best weights that a network has; the other values are versions, or paths."""
TIP = N_(
    "What the network knows before it sees your images. ImageNet weights were trained on "
    "1.2 million images of 1,000 classes."
)
_FILE = "\0file"


class WeightsSelector(QWidget):
    """Shows the weights of a transfer and asks for others."""

    weights_requested = Signal(str)
    """The user wants these weights: imagenet, a version's name, or a path."""
    save_requested = Signal()
    """The user wants the chosen version as a file, for use offline."""
    cancel_requested = Signal()
    """The user doesn't want to wait for that file any more."""
    copy_requested = Signal(str)
    """The user wants this command on the clipboard."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: ModelFacts | None = None
        self._files: dict[str, str] = {}  # a path -> what it is called
        self._weights: str | None = None
        self._saving = False
        self._box = ChoiceEditor()
        self._box.setObjectName("weights")
        self._box.setAccessibleName(tr("Weights"))
        self._box.activated.connect(self._activated)
        self._box.edited.connect(self._edited)
        self._caption = small_label()
        self._save = quiet_button("", "saveWeightsButton", flush=True)
        self._save.clicked.connect(self._save_or_cancel)
        self._copy = quiet_button(tr("Copy the command"), "copyInstallButton", flush=True)
        self._copy.clicked.connect(self._request_copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._box)
        column.addWidget(self._caption)
        for button in (self._save, self._copy):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def show_session(self, session: Session) -> None:
        """Shows the weights of the recipe among those of its network and the files on offer."""
        shown = model_facts(session), dict(offered_weights(session)), session.recipe.weights
        if shown != (self._facts, self._files, self._weights):
            self._facts, self._files, self._weights = shown
            self._fill()
        self._saving = session.download is not None
        self._show_state(session.download)

    def _fill(self) -> None:
        self._box.blockSignals(True)
        self._box.clear()
        weights = self._weights or ""
        if self._facts is None:
            self._box.addItem(tr("ImageNet"), IMAGENET)
            if weights not in ("", IMAGENET, *self._files):
                self._box.addItem(weights, weights)  # the catalogue will know it
        else:
            for row, each in enumerate(self._facts.weights):
                self._box.addItem(_label(each), each.name if row else IMAGENET)
        for path, name in self._files.items():
            self._box.addItem(name, path)
        if self._box.findData(weights) < 0:
            self._box.addItem(tr("None yet"), "")
            weights = ""
        self._box.addItem(tr("A file of mine…"), _FILE)
        self._box.setCurrentIndex(max(0, self._box.findData(weights)))
        self._box.blockSignals(False)

    def _show_state(self, download: DownloadProgress | None) -> None:
        is_file = self._weights in self._files
        self._box.setToolTip(self._weights or "" if is_file else f"<qt>{tr(TIP)}</qt>")
        self._box.setAccessibleDescription(self._weights or "" if is_file else tr(TIP))
        self._save.setText(tr("Cancel") if self._saving else tr("Save pretrained weights"))
        self._save.setToolTip(
            ""
            if self._saving
            else tr("Keeps them among your models, for use without the internet.")
        )
        version = self._version()
        lacks_package = version is not None and _lacks_package(version)
        self._save.setVisible(self._saving or (version is not None and not lacks_package))
        self._copy.setVisible(lacks_package)
        self._caption.setText(_download_text(download) if download else self._about(is_file))

    def _about(self, is_file: bool) -> str:
        if is_file:
            return tr("In {folder}", folder=Path(self._weights or "").parent)
        if self._facts and not self._facts.weights:
            return tr(
                "There are no ImageNet weights for {model}: choose a file, or another network.",
                model=self._facts.name,
            )
        if facts := self._version():
            return _whereabouts(facts)
        return tr("Trained on 1.2 million images.")

    def _version(self) -> WeightsFacts | None:
        versions = self._facts.weights if self._facts else ()
        row = self._box.currentIndex()
        return versions[row] if 0 <= row < len(versions) else None

    @Slot(int)
    def _activated(self, row: int) -> None:
        if self._box.itemData(row) == _FILE:
            self._fill()  # a dialog may be cancelled
            choose_file(self, tr("Choose weights"), CHECKPOINTS, self._choose_file)

    @Slot()
    def _save_or_cancel(self) -> None:
        (self.cancel_requested if self._saving else self.save_requested).emit()

    @Slot()
    def _request_copy(self) -> None:
        if facts := self._version():
            self.copy_requested.emit(install_command(facts.package))

    @Slot(str)
    def _choose_file(self, path: str) -> None:
        self.weights_requested.emit(path)

    @Slot()
    def _edited(self) -> None:
        value = self._box.value()
        if value not in (_FILE, self._weights):
            self.weights_requested.emit(value)


def _label(facts: WeightsFacts) -> str:
    """ImageNet V2 · 80.9%: where the name is IMAGENET1K_V2."""
    name = facts.name.removeprefix("IMAGENET1K_").replace("_", " ")
    return tr(
        "ImageNet {version} · {accuracy}", version=name, accuracy=fine_percent(facts.accuracy)
    )


def _lacks_package(facts: WeightsFacts) -> bool:
    """Whether they are of a package that is not installed."""
    return bool(facts.package) and not facts.local


def _whereabouts(facts: WeightsFacts) -> str:
    """Where they are or come from, and the image size at which they predict best."""
    values = {"side": facts.image_size, "size": megabytes(facts.megabytes)}
    if facts.local:
        return tr("On this machine. Best at {side} px.", **values)
    if not facts.package:
        return tr("Downloaded once, {size}. Best at {side} px.", **values)
    return tr(
        "In a package of {size} that is not installed:\npip install {package}",
        package=facts.package,
        **values,
    )


def _download_text(progress: DownloadProgress) -> str:
    done, total = (f"{count // 10**6:,}" for count in (progress.done, progress.total))
    values = {"name": progress.name, "done": done}
    if progress.total:
        return tr("Downloading {name}: {done} of {total} MB", total=total, **values)
    return tr("Downloading {name}: {done} MB", **values)
