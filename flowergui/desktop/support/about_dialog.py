"""What this program is: its version, its licence, and what it is made of."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import small_label
from flowergui.desktop.widgets.windows import DISPLAY_NAME, resize_within_screen
from flowergui.store import paths
from flowergui.system.diagnostics import versions
from flowergui.text import tr

ICON_PX = 64


class AboutDialog(QDialog):
    """Shows it; does not block the window."""

    guide_requested = Signal()
    """The user wants to read the guide."""
    copy_requested = Signal()
    """The user wants the diagnostics on the clipboard."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("aboutDialog")
        self.setWindowTitle(tr("About {name}", name=DISPLAY_NAME))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._versions = versions()
        icon = QLabel()
        icon.setPixmap(QIcon(str(paths.resource("icons/flowergui.svg"))).pixmap(ICON_PX, ICON_PX))
        name = QLabel(f"{DISPLAY_NAME} {self._versions['Flowergui']}")
        name.setObjectName("aboutName")
        theme.style(name, role="figure")
        what = small_label(
            "",
            tr(
                "Trains image classifiers on your own images, and shows what they predict. Your "
                "images stay on this computer."
            ),
        )
        licence = small_label(
            text=tr(
                "MIT licence. Made of PyTorch and torchvision (networks and training), PySide6 "
                "(the window) and pyqtgraph (the curves)."
            )
        )
        self._parts = small_label()
        self._parts.setObjectName("aboutVersions")
        self._parts.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        words = QVBoxLayout()
        words.setSpacing(theme.SPACE)
        for label in (name, what, licence, self._parts):
            words.addWidget(label)
        words.addStretch(1)
        top = QHBoxLayout()
        top.setSpacing(2 * theme.SPACE)
        top.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[2 * theme.SPACE] * 4)
        rows.setSpacing(2 * theme.SPACE)
        rows.addLayout(top, 1)
        rows.addLayout(self._make_buttons())
        self.show_devices(())
        line = self.fontMetrics().height()
        resize_within_screen(self, 28 * line, 17 * line)
        self._close.setFocus()

    def _make_buttons(self) -> QHBoxLayout:
        self._copy = QPushButton(tr("&Copy diagnostics"))
        self._copy.setObjectName("copyDiagnostics")
        self._copy.setToolTip(
            tr(
                "Copies versions, devices, settings and the last errors, for a question or a "
                "report. Your name, your home folder and the folder of your "
                "images are not in it; nothing is sent."
            )
        )
        self._copy.clicked.connect(self.copy_requested)
        guide = QPushButton(tr("&Guide"))
        guide.setObjectName("aboutGuide")
        guide.clicked.connect(self.guide_requested)
        self._close = close = QPushButton(tr("Close"))
        close.clicked.connect(self.close)
        close.setDefault(True)
        row = QHBoxLayout()
        for each in (self._copy, guide):
            each.setAutoDefault(False)
            row.addWidget(each)
        row.addStretch(1)
        row.addWidget(close)
        return row

    def show_devices(self, devices: Sequence[str]) -> None:
        """Shows the versions, and the devices, once they are known."""
        parts = [f"{name} {number}" for name, number in self._versions.items()]
        self._parts.setText("\n".join((" · ".join(parts[1:]), *devices)))

    def show_copied(self) -> None:
        """The diagnostics are on the clipboard."""
        self._copy.setText(tr("Copied"))
