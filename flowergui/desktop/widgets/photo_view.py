"""A photo, and its Grad-CAM heatmap over it."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QStyle, QStyleOption, QWidget

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.thumbnails import Thumbnails
from flowergui.facts import MIN_BRIGHTNESS, Heatmap
from flowergui.text import tr


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
        """Shows a photo; "" for none. Under a heatmap, the photo is dark where the network found
        little for the class, and outside of the square that the network saw."""
        self._path = path
        self._shade = _shade(heat) if heat else None
        self.update()

    def forget_pictures(self, *paths: str) -> None:
        """Reads these files, or all, anew before it shows them: they may have changed."""
        self._pictures.forget(*paths)

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
        """Paints what is shown without a photo: nothing."""

    def _paint_picture(self, painter: QPainter) -> None:
        room = QRectF(self.rect()).adjusted(6, 6, -6, -6)
        picture = self._pictures.picture(self._path)
        if picture is None or picture.isNull():
            painter.setPen(theme.current().color("muted"))
            words = "…" if picture is None else tr("This image can't be shown.")
            wrap = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(room, wrap, words)
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
    """The black over a place whose heatmap is `value`, from 0 to 1."""
    return QColor(0, 0, 0, round(255 * (1 - MIN_BRIGHTNESS) * (1 - value)))


def _shade(heat: Heatmap) -> QImage:
    """Black, more opaque where the heatmap is low; enlarged smoothly."""
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
