"""The one road for errors: what the user can mend goes to the banner, the rest is our defect."""

import logging

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from flowergui.desktop.widgets.banner import Banner
from flowergui.errors import FlowerError

log = logging.getLogger(__name__)


def report(error: BaseException, banner: Banner, parent: QWidget) -> None:
    """Tells the user of `error`. The dialog for a defect does not block."""
    if isinstance(error, FlowerError):
        banner.show_error(error)
        return
    log.error("This is a defect of flowergui.", exc_info=error)
    box = QMessageBox(parent)
    box.setObjectName("defectDialog")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Critical)
    box.setWindowTitle("flowergui")
    box.setText("Something went wrong that should not have.")
    box.setInformativeText(
        f"{type(error).__name__}: {error}\n\nYour photos and saved checkpoints are untouched. "
        "The log on the console says more."
    )
    box.open()
