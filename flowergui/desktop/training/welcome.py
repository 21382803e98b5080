"""The first look: what the window needs before it can train."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop.session import Mode, Session, is_idle
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import small_label
from flowergui.desktop.widgets.painting import paint_flower
from flowergui.text import tr

MAX_WIDTH = 420
"""Pixels: longer lines are hard to read. Larger fonts get more, see MAX_EMS."""
MAX_EMS = 28
"""The same in heights of the font."""
FLOWER = 72
"""Pixels."""


def is_first_look(session: Session) -> bool:
    """Whether there is nothing yet that could be trained or shown."""
    nothing = session.dataset is None and session.run_started is None
    return nothing and is_idle(session) and session.mode is not Mode.RESUME


class Welcome(QFrame):
    """Asks for photos: one's own, or the sample flowers. A folder may be dropped anywhere."""

    folder_requested = Signal()
    """The user wants to choose a folder of photos."""
    samples_requested = Signal()
    """The user wants the sample flowers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        title = QLabel(tr("Drop your photos here"))
        theme.style(title, role="hero")
        words = small_label(
            text=tr(
                "A folder with one subfolder for each class, such as “daisy”, “rose” and “tulip”; "
                "30 photos of each are a beginning."
            )
        )
        choose = QPushButton(tr("Choose a folder…"))
        choose.setObjectName("welcomeFolderButton")
        choose.clicked.connect(self.folder_requested)
        theme.style(choose, role="primary")
        other = small_label(text=tr("No photos at hand?"))
        samples = QPushButton(tr("Draw sample flowers"))
        samples.setObjectName("welcomeSampleButton")
        samples.setToolTip(
            tr("Draws a small dataset of flowers of several kinds, so that you can train at once.")
        )
        samples.clicked.connect(self.samples_requested)
        title.setWordWrap(True)
        self._words = QWidget()  # stands in the middle, however wide the window is
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addWidget(self._words, 1_000)
        row.addStretch(1)
        column = QVBoxLayout(self._words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        column.addStretch(1)
        column.addSpacing(FLOWER + theme.SPACE)
        for widget, space in ((title, 0), (words, 4), (choose, 20), (other, 0), (samples, 0)):
            if isinstance(widget, QLabel):
                widget.setAlignment(Qt.AlignmentFlag.AlignHCenter)
                column.addWidget(widget)
            else:
                column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
            column.addSpacing(space)
        column.addStretch(1)
        self._title = title
        self._limit_width()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._limit_width()

    def _limit_width(self) -> None:
        width = max(MAX_WIDTH, MAX_EMS * self.fontMetrics().height())
        self._words.setMaximumWidth(width)

    def sizeHint(self) -> QSize:
        return QSize(MAX_WIDTH, 400)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        look, above = theme.current(), self._title.geometry()
        above.translate(self._words.pos())
        place = QRectF(0, 0, FLOWER, FLOWER)
        place.moveCenter(QRectF(above).center())
        place.moveBottom(above.top() - theme.SPACE)
        painter = QPainter(self)
        paint_flower(painter, place, look.color("accent", 0.55), look.color("rate", 0.8))
        painter.end()
