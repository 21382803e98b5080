"""Dialogs that ask for files."""

import pytest
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog, QToolButton, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.file_dialogs import (
    CHECKPOINT_SUFFIXES,
    CHECKPOINTS,
    choose_export,
    choose_files,
    image_filter,
)


@pytest.fixture
def parent(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    return widget


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_arrows_have_the_colour_of_text(parent, qapp, scheme):
    """Qt's own are black, and could not be seen in the dark theme."""
    theme.apply(qapp, scheme)
    choose_files(parent, "Choose images", [image_filter(), CHECKPOINTS], lambda paths: None)
    dialog = parent.findChild(QFileDialog)
    button = dialog.findChild(QToolButton, "toParentButton")
    picture = button.icon().pixmap(button.iconSize(), QIcon.Mode.Normal).toImage()
    points = ((x, y) for x in range(picture.width()) for y in range(picture.height()))
    opaque = [picture.pixelColor(*point) for point in points]
    colours = {colour.name() for colour in opaque if colour.alpha() == 255}
    assert colours == {theme.current().text}
    dialog.close()


def test_buttons_have_no_icons(parent):
    choose_files(parent, "Choose images", [image_filter(), CHECKPOINTS], lambda paths: None)
    dialog = parent.findChild(QFileDialog)
    buttons = dialog.findChild(QDialogButtonBox).buttons()
    assert buttons
    assert all(button.icon().isNull() for button in buttons)
    dialog.close()


def test_an_export_gets_the_suffix_of_its_format(parent):
    choose_export(parent, "Export", "best", lambda path: None)
    dialog = parent.findChild(QFileDialog)
    assert dialog.defaultSuffix() == "safetensors"
    dialog.filterSelected.emit(next(each for each in dialog.nameFilters() if "onnx" in each))
    assert dialog.defaultSuffix() == "onnx"
    dialog.close()


def test_the_dialog_offers_what_counts_as_a_checkpoint() -> None:
    assert all(f"*{suffix}" in CHECKPOINTS for suffix in CHECKPOINT_SUFFIXES)
