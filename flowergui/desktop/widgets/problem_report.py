"""Shows errors: a FlowerError as a message, anything else as a defect of the program."""

import logging
import traceback

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.windows import DISPLAY_NAME
from flowergui.errors import FlowerError
from flowergui.system.diagnostics import without_personal_paths
from flowergui.text import tr

log = logging.getLogger(__name__)


def report(error: BaseException, banner: Banner, parent: QWidget) -> None:
    """Shows `error` to the user. The dialog for a defect does not block the window."""
    if isinstance(error, FlowerError):
        banner.show_error(error)
        return
    log.error("This is a defect of Flowergui.", exc_info=error)
    box = QMessageBox(parent)
    box.setObjectName("defectDialog")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Critical)
    box.setWindowTitle(DISPLAY_NAME)
    box.setText(tr("An unexpected error occurred. This is a defect of Flowergui."))
    box.setInformativeText(
        tr(
            "{error}\n\nYour images and saved checkpoints are unchanged. Please report it with "
            "these details, and with what “Copy diagnostics” in the menu Help copies.",
            error=f"{type(error).__name__}: {error}",
        )
    )
    box.setDetailedText(without_personal_paths("".join(traceback.format_exception(error))))
    box.open()
