"""Asking for files and folders, without stopping the rest of the program."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

IMAGES = "Pictures (*.jpg *.jpeg *.png *.webp *.bmp *.gif *.tif *.tiff *.avif)"
CHECKPOINTS = "Checkpoints and weights (*.pth *.pt *.safetensors)"
TABLES = "Tables (*.csv)"
NETWORKS = (
    "With all that predicting takes (*.safetensors)",
    "For phones, browsers and other programs (*.onnx)",
    "Weights alone, for PyTorch (*.pth)",
)
ANYTHING = "All files (*)"


def choose_folder(parent: QWidget, title: str, start: str, then: Callable[[str], object]) -> None:
    """Asks for a folder; `then` gets it, and nothing where the user thought better of it."""
    dialog = _dialog(parent, title, start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(then)
    dialog.open()


def choose_file(parent: QWidget, title: str, filters: str, then: Callable[[str], object]) -> None:
    """Asks for one file that exists; see choose_folder."""
    dialog = _dialog(parent, title, "")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([filters, ANYTHING])
    dialog.fileSelected.connect(then)
    dialog.open()


def choose_files(
    parent: QWidget, title: str, filters: list[str], then: Callable[[list[str]], object]
) -> None:
    """Asks for any number of files that exist; see choose_folder."""
    dialog = _dialog(parent, title, "")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setNameFilters([*filters, ANYTHING])
    dialog.filesSelected.connect(then)
    dialog.open()


def choose_table(parent: QWidget, title: str, name: str, then: Callable[[str], object]) -> None:
    """Asks where to write a table; see choose_folder."""
    _choose_target(parent, title, name, [TABLES], then)


def choose_export(parent: QWidget, title: str, name: str, then: Callable[[str], object]) -> None:
    """Asks where to write a network, and in which form; see choose_folder."""
    _choose_target(parent, title, name, NETWORKS, then)


def _choose_target(
    parent: QWidget, title: str, name: str, filters: Sequence[str], then: Callable[[str], object]
) -> None:
    dialog = _dialog(parent, title, "")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(filters)
    # A name without an ending gets that of the form which is chosen.
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(_ending(chosen)))
    dialog.setDefaultSuffix(_ending(filters[0]))
    dialog.selectFile(name)
    dialog.fileSelected.connect(then)
    dialog.open()


def _ending(filter: str) -> str:
    return filter.rpartition("*.")[2].rstrip(")")


def _dialog(parent: QWidget, title: str, start: str) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if start:
        dialog.setDirectory(start)
    return dialog
