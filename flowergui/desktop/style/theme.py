"""The look of the whole program: colours, type and one stylesheet, light and dark.

`apply(app)` sets palette and stylesheet, and follows the system's light or dark scheme, live;
`set_zoom` makes text, and the room around it, larger or smaller. `current()` gives the colours to
widgets that paint themselves (plots), and `signals.changed` says when to paint again. Everything
else is set by dynamic properties, through `style`:

    QPushButton   role="primary"   the one action that matters here (accent colour)
                  role="danger"    stops or deletes
                  role="quiet"     no frame until hovered: small, secondary actions;
                                   flush=True where its text is to stand under other text
                  role="title"     a panel's name that folds the panel
                  role="fold"      folds a column, in the border beside it
                  role="segment"   one of several checkable neighbours (mode, zoom windows)
    QLabel        role="title"     a panel's name
                  role="heading"   a smaller one within a panel
                  role="figure"    a number worth reading from afar
                  role="hero"      the one number or word that the eye is to meet first
                  role="caption"   muted, a little smaller: explanations, units
                  role="error"     what is wrong, beside the field
                  role="chip"      a small rounded tag; failed=True where it shows an error
                  role="readout"   a small text that floats over a plot
    QFrame        card=True        a surface with a thin border and round corners; quiet=True hides
                                   both
                  chart=True       holds a plot, and shows the focus
                  line=True        a thin separator (set maximumHeight or Width to 1)
    QLineEdit, QComboBox, spin boxes    invalid=True      red border; cell=True in a cell of a view
    QProgressBar  slim=True        a thin bar without text
    item views    flat=True        no frame of their own, for those on a card (QTextEdit too)
    #dropZone     hot=True         while something droppable is held over it
    #message      kind="info" | "warning" | "error" | "success"

Boolean hooks take True or False. No height of text is fixed, so larger system fonts fit.
"""

from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from flowergui.desktop.style.colors import DARK, LIGHT, Theme
from flowergui.desktop.style.stylesheet import stylesheet
from flowergui.desktop.style.zoomed_layouts import zoom_layouts

SPACE = 8
"""Pixels between neighbours; margins of cards and gaps between panels are multiples of it."""


class Scheme(StrEnum):
    """Which colours are used: those of the system's scheme, or always the same."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class ThemeSignals(QObject):
    """Signals of the theme; the only object is `signals`."""

    changed = Signal(object)
    """The new Theme, or the same in another size; the stylesheet is in place already."""


signals = ThemeSignals()

_current = LIGHT
_scheme: str = Scheme.SYSTEM
_zoom = 100
_font: QFont | None = None  # the system's, before it was zoomed


def current() -> Theme:
    """The colours in use now."""
    return _current


def scheme() -> str:
    """The Scheme that `apply` was called with."""
    return _scheme


def zoom() -> int:
    """The size of text, and of the room around it, in percent of the system's."""
    return _zoom


def zoomed(pixels: int) -> int:
    """So many pixels at the zoom of now, for pictures that stand beside text."""
    return round(pixels * _zoom / 100)


def apply(app: QApplication, scheme: str = Scheme.SYSTEM) -> None:
    """Gives `app` its palette and stylesheet. SYSTEM follows the system, live; LIGHT and DARK
    override it."""
    global _scheme
    _scheme = scheme
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    hints = app.styleHints()
    wanted: dict[str, Qt.ColorScheme] = {
        Scheme.LIGHT: Qt.ColorScheme.Light,
        Scheme.DARK: Qt.ColorScheme.Dark,
    }
    # The platform needs it too, for title bars and native dialogs.
    hints.setColorScheme(wanted.get(scheme, Qt.ColorScheme.Unknown))
    hints.colorSchemeChanged.connect(_follower.follow, Qt.ConnectionType.UniqueConnection)
    system_is_dark = hints.colorScheme() == Qt.ColorScheme.Dark
    dark = system_is_dark if scheme == Scheme.SYSTEM else scheme == Scheme.DARK
    _set_look(app, DARK if dark else LIGHT)


def set_zoom(app: QApplication, percent: int) -> None:
    """Makes text, and the room around it, this large from now on: 100 is the system's size."""
    global _zoom, _font
    if percent == _zoom:
        return
    _font = _font or QFont(app.font())
    _zoom = percent
    font = QFont(_font)
    if font.pointSizeF() > 0:
        font.setPointSizeF(_font.pointSizeF() * percent / 100)
    else:
        font.setPixelSize(round(_font.pixelSize() * percent / 100))
    app.setFont(font)
    _set_look(app, _current)
    for window in app.topLevelWidgets():
        zoom_layouts(window, percent)


def fit_to_zoom(window: QWidget) -> None:
    """Gives a new window the room around its texts that fits the zoom; to be called before it is
    shown."""
    if _zoom != 100:
        zoom_layouts(window, _zoom)


def style(widget: QWidget, **hooks: str | bool) -> None:
    """Sets style hooks (see the module's docstring) and applies them. The font of a widget that was
    never shown follows after its `ensurePolished`."""
    changed = {name: value for name, value in hooks.items() if widget.property(name) != value}
    for name, value in changed.items():
        widget.setProperty(name, value)
    if changed and widget.testAttribute(
        Qt.WidgetAttribute.WA_WState_Polished
    ):  # else it is still to come
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.updateGeometry()


def tabular(widget: QWidget) -> None:
    """Gives `widget` digits of equal width, so that changing numbers do not move."""
    font = widget.font()
    font.setFeature(QFont.Tag("tnum"), 1)
    widget.setFont(font)


def _set_look(app: QApplication, theme: Theme) -> None:
    global _current
    _current = theme
    app.setPalette(_palette(theme))
    app.setStyleSheet(stylesheet(theme, app.font(), _zoom / 100))
    signals.changed.emit(theme)


class _Follower(QObject):
    @Slot(Qt.ColorScheme)
    def follow(self, system: Qt.ColorScheme) -> None:
        """The system went light or dark."""
        app = QApplication.instance()
        if _scheme == Scheme.SYSTEM and isinstance(app, QApplication):
            _set_look(app, DARK if system == Qt.ColorScheme.Dark else LIGHT)


_follower = _Follower()


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, token in (
        (role.Window, theme.background),
        (role.WindowText, theme.text),
        (role.Base, theme.card),
        (role.AlternateBase, theme.sunken),
        (role.Text, theme.text),
        (role.PlaceholderText, theme.muted),
        (role.Button, theme.card),
        (role.ButtonText, theme.text),
        (role.ToolTipBase, theme.card),
        (role.ToolTipText, theme.text),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent),
        (role.Accent, theme.accent),
        (role.Link, theme.accent),
        (role.LinkVisited, theme.accent),
        (role.BrightText, theme.error),
        (role.Light, theme.card),
        (role.Midlight, theme.border),
        (role.Mid, theme.border_strong),
        (role.Dark, theme.border_strong),
        (role.Shadow, theme.border_strong),
    ):
        palette.setColor(which, QColor(token))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.faint))
    return palette
