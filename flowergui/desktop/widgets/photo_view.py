"""A photo, and what in it speaks for a class."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QStyle, QStyleOption, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.thumbnails import Thumbnails
from flowergui.facts import (
    MIN_BRIGHTNESS,
    Heatmap,
)


class PhotoView(QWidget):
    """Shows one photo, upright and whole, as large as there is room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._path = ""
        self._shade: QImage | None = None
        self._pictures = Thumbnails(900, 8, self)
        self._pictures.ready.connect(self.update)

    @property
    def path(self) -> str:
        """The photo that is shown; empty where there is none."""
        return self._path

    def show_picture(self, path: str, heat: Heatmap = ()) -> None:
        """Shows a photo; "" for none. With a `heat`, the photo is as dark as little speaks for a
        class there, and around the square that the heat is of."""
        self._path = path
        self._shade = _shade(heat) if heat else None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOption()
        option.initFrom(self)
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, painter, self)
        if self._path:
            self._paint_picture(painter)
        else:
            self.paint_empty(painter)
        painter.end()

    def paint_empty(self, painter: QPainter) -> None:
        """What there is to see without a photo: nothing."""

    def _paint_picture(self, painter: QPainter) -> None:
        room = QRectF(self.rect()).adjusted(6, 6, -6, -6)
        picture = self._pictures.picture(self._path)
        if picture is None or picture.isNull():
            painter.setPen(theme.current().color("muted"))
            words = "…" if picture is None else "This picture can't be shown."
            painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter), words)
            return
        size = picture.size().toSizeF()
        size.scale(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        where = QRectF(room.topLeft(), size)
        where.moveCenter(room.center())
        shape = QPainterPath()
        shape.addRoundedRect(where, 5, 5)
        painter.save()
        painter.setClipPath(shape)
        painter.drawPixmap(where, picture, QRectF(picture.rect()))
        if self._shade is not None:
            side = min(where.width(), where.height())
            square = QRectF(0, 0, side, side)
            square.moveCenter(where.center())
            around = QPainterPath()
            around.addRect(where)
            around.addRect(square)
            painter.fillPath(around, _black(0))
            painter.drawImage(square, self._shade)
        painter.restore()


def _black(value: float) -> QColor:
    """What lies over a place that speaks for a class as much as `value`."""
    return QColor(0, 0, 0, round(255 * (1 - MIN_BRIGHTNESS) * (1 - value)))


def _shade(heat: Heatmap) -> QImage:
    """Black, as opaque as little speaks for a class; drawn larger, it is smooth."""
    shade = QImage(len(heat[0]), len(heat), QImage.Format.Format_ARGB32)
    for y, row in enumerate(heat):
        for x, value in enumerate(row):
            shade.setPixelColor(x, y, _black(value))
    # By steps, each of them smooth: at once, the cells would be seen.
    for side in (32, 128, 512):
        shade = shade.scaled(
            side,
            side,
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    return shade
