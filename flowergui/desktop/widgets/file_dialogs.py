"""Dialogs that ask for files and folders; they do not block the window."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPainter
from PySide6.QtWidgets import QFileDialog, QToolButton, QWidget

from flowergui.desktop.style import theme
from flowergui.image_suffixes import IMAGE_SUFFIXES
from flowergui.requests import ExportOptions
from flowergui.text import N_, tr

CHECKPOINTS = N_("Checkpoints and weights (*.pth *.pt *.ckpt *.safetensors *.bin *.tar)")
CHECKPOINT_SUFFIXES = (".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".tar")
"""What files of weights are called, here and elsewhere (model_best.pth.tar)."""
ARCHIVES = N_("Archives of images (*.tar *.zip)")
TABLES = N_("Tables (*.csv)")
NETWORKS = {
    N_("Weights and all that predictions need (*.safetensors)"): ExportOptions(),
    N_("The same in float16: half the size (*.safetensors)"): ExportOptions(float16=True),
    N_("The same as a checkpoint of PyTorch (*.pth)"): ExportOptions(with_classes=True),
    N_("A checkpoint in float16: half the size (*.pth)"): ExportOptions(
        with_classes=True, float16=True
    ),
    N_("ONNX, for phones, browsers and other programs (*.onnx)"): ExportOptions(),
    N_("Weights only, for PyTorch (*.pth)"): ExportOptions(),
}
"""The formats of an exported network."""
PICTURES = (N_("PNG picture (*.png)"), N_("SVG drawing, sharp in any size (*.svg)"))
ANYTHING = N_("All files (*)")


def image_filter() -> str:
    """The filter of a file dialog for all images that can be read."""
    return tr("Images ({endings})", endings=" ".join(sorted(f"*{each}" for each in IMAGE_SUFFIXES)))


def choose_folder(parent: QWidget, title: str, start: str, then: Callable[[str], object]) -> None:
    """Asks for a folder and calls `then` with its path, unless the user cancels."""
    dialog = _dialog(parent, title, start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(then)
    dialog.open()


def choose_file(parent: QWidget, title: str, filters: str, then: Callable[[str], object]) -> None:
    """Asks for one file that exists; see choose_folder."""
    dialog = _dialog(parent, title, "")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([tr(filters), tr(ANYTHING)])
    dialog.fileSelected.connect(then)
    dialog.open()


def choose_files(
    parent: QWidget, title: str, filters: list[str], then: Callable[[list[str]], object]
) -> None:
    """Asks for any number of files that exist; see choose_folder."""
    dialog = _dialog(parent, title, "")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setNameFilters([tr(each) for each in (*filters, ANYTHING)])
    dialog.filesSelected.connect(then)
    dialog.open()


def choose_table(parent: QWidget, title: str, name: str, then: Callable[[str], object]) -> None:
    """Asks where to write a table; see choose_folder."""
    _choose_target(parent, title, name, [TABLES], then)


def choose_picture(parent: QWidget, title: str, name: str, then: Callable[[str], object]) -> None:
    """Asks where to save a picture, and in which format; see choose_folder."""
    _choose_target(parent, title, name, PICTURES, then)


def choose_export(
    parent: QWidget, title: str, name: str, then: Callable[[str, ExportOptions], object]
) -> None:
    """Asks where to export a network, and in which format; see choose_folder."""
    options = {tr(each): options for each, options in NETWORKS.items()}
    dialog = _choose_target(
        parent,
        title,
        name,
        [*NETWORKS],
        lambda path: then(path, options[dialog.selectedNameFilter()]),
    )


def _choose_target(
    parent: QWidget, title: str, name: str, filters: Sequence[str], then: Callable[[str], object]
) -> QFileDialog:
    dialog = _dialog(parent, title, "")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters([tr(each) for each in filters])
    # A name without a suffix gets that of the chosen format.
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(_suffix(chosen)))
    dialog.setDefaultSuffix(_suffix(filters[0]))
    dialog.selectFile(name)
    dialog.fileSelected.connect(then)
    dialog.open()
    return dialog


def _suffix(filter: str) -> str:
    return filter.rpartition("*.")[2].rstrip(")")


def _dialog(parent: QWidget, title: str, start: str) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if start:
        dialog.setDirectory(start)
    for name in ("backButton", "forwardButton", "toParentButton"):
        button = dialog.findChild(QToolButton, name)
        if button is not None:  # none where the dialog is the system's own
            button.setIcon(_tinted(button.icon(), button.iconSize()))
    return dialog


def _tinted(icon: QIcon, size: QSize) -> QIcon:
    """The icon in the colour of text: Qt's arrows are black, also on a dark ground."""
    tinted = QIcon()
    for mode, token in ((QIcon.Mode.Normal, "text"), (QIcon.Mode.Disabled, "faint")):
        pixmap = icon.pixmap(size)
        painter = QPainter(pixmap)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        painter.fillRect(pixmap.rect(), theme.current().color(token))
        painter.end()
        tinted.addPixmap(pixmap, mode)
    return tinted
