"""What several widgets paint themselves: tiles with a picture, and the flower of empty places."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPixmap

from flowergui.desktop.style import theme


def paint_tile(painter: QPainter, where: QRectF, picture: QPixmap | None, name: str) -> None:
    """A small picture with round corners, cut to fill `where`; the first letter of `name`
    where there is no picture (yet)."""
    look = theme.current()
    shape = QPainterPath()
    shape.addRoundedRect(where, 5, 5)
    painter.save()
    painter.setRenderHints(
        QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
    )
    if picture is None or picture.isNull():
        painter.fillPath(shape, look.color("hover"))
        painter.setPen(look.color("muted"))
        painter.drawText(where, int(Qt.AlignmentFlag.AlignCenter), name[:1].upper())
    else:
        painter.setClipPath(shape)
        side = min(picture.width(), picture.height())
        middle = QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)
        painter.drawPixmap(where, picture, middle)
    painter.restore()


def paint_flower(painter: QPainter, where: QRectF, petals: QColor, heart: QColor) -> None:
    """A line drawing of a flower with eight petals, for empty places."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(where.center())
    painter.scale(where.width() / 100, where.height() / 100)
    painter.setPen(QPen(petals, 3.5))
    for _ in range(8):
        painter.drawEllipse(QRectF(-11, -48, 22, 32))
        painter.rotate(45)
    painter.setPen(QPen(heart, 3.5))
    painter.drawEllipse(QRectF(-12, -12, 24, 24))
    painter.restore()
