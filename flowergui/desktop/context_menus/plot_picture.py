"""The picture of a plot, for a document or a mail: with its title and the key of its curves, which
stand outside of the plot in the window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPaintDevice, QPainter, QPixmap
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsView

from flowergui.desktop.style import theme

SCALE = 2
"""Pixels of a picture for each on the screen: it is to look well on paper too."""

MARGIN = 8
"""Pixels around the title and the key, and below the plot."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a plot, and its curves: the text and the colour (#rrggbb) of each."""

    title: str
    curves: Sequence[tuple[str, str]] = ()


class PlotPicture:
    """Draws a plot below its heading."""

    def __init__(self, plot: QGraphicsView, heading: Callable[[], Heading]) -> None:
        self._plot, self._heading = plot, heading

    def pixmap(self) -> QPixmap:
        """As it is on the screen now, SCALE times as large."""
        size = self._size()
        picture = QPixmap(size * SCALE)
        picture.setDevicePixelRatio(SCALE)
        picture.fill(theme.current().color("card"))
        self._paint(picture, size)
        return picture

    def png(self) -> bytes:
        """The same as a file."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        self.pixmap().save(buffer, "PNG")
        return bytes(buffer.data().data())

    def svg(self) -> bytes:
        """As vectors."""
        # Not by pyqtgraph's SVGExporter: it can't draw items whose paths are empty.
        buffer, size = QBuffer(), self._size()
        drawing = QSvgGenerator()
        drawing.setOutputDevice(buffer)
        drawing.setSize(size)
        drawing.setViewBox(QRectF(QPointF(), size.toSizeF()))
        self._paint(drawing, size)
        return bytes(buffer.data().data())

    def _paint(self, device: QPaintDevice, size: QSize) -> None:
        painter = QPainter(device)
        painter.fillRect(QRectF(QPointF(), size.toSizeF()), theme.current().color("card"))
        for place, text, color, font in self._words():
            painter.setFont(font)
            painter.setPen(QColor(color))
            painter.drawText(place, text)
        top = size.height() - MARGIN - self._plot.height()
        target = QRectF(0, top, self._plot.width(), self._plot.height())
        self._plot.render(painter, target, self._plot.viewport().rect())
        painter.end()

    def _size(self) -> QSize:
        lines = {place.y() for place, *_ in self._words()}
        line = QFontMetrics(self._plot.font()).lineSpacing()
        return QSize(self._plot.width(), self._plot.height() + len(lines) * line + 3 * MARGIN)

    def _words(self) -> list[tuple[QPointF, str, str, QFont]]:
        """Where each text begins (its baseline), the text, its colour and font: the title, then the
        names of the curves, in as many lines as they need."""
        font = self._plot.font()
        bold = QFont(font)
        bold.setBold(True)
        heading, metrics = self._heading(), QFontMetrics(font)
        space, right = 2 * metrics.averageCharWidth(), self._plot.width() - MARGIN
        baseline = MARGIN + metrics.ascent()
        words = [(QPointF(MARGIN, baseline), heading.title, theme.current().text, bold)]
        left = MARGIN + QFontMetrics(bold).horizontalAdvance(heading.title) + 2 * space
        for text, color in heading.curves:
            name = metrics.elidedText(f"● {text}", Qt.TextElideMode.ElideRight, right - MARGIN)
            width = metrics.horizontalAdvance(name)
            if left + width > right:
                left, baseline = MARGIN, baseline + metrics.lineSpacing()
            words.append((QPointF(left, baseline), name, color, font))
            left += width + space
        return words
