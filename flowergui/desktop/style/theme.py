"""The look of the whole program: colours, type and one stylesheet, light and dark.

`apply(app)` sets palette and stylesheet, and follows the system's light or dark scheme, live.
`current()` gives the colours to widgets that paint themselves (plots), and `signals.changed` says
when to paint again. Everything else is set by dynamic properties, through `style`:

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
    QFrame        card=True        a surface with a thin border and round corners
                  line=True        a thin separator (set maximumHeight or Width to 1)
    QLineEdit, QComboBox, spin boxes    invalid=True      red border; cell=True in a cell of a view
    QProgressBar  slim=True        a thin bar without text
    item views    flat=True        no frame of their own, for those on a card
    #dropZone     hot=True         while something droppable is held over it
    #message      kind="info" | "warning" | "error" | "success"

Boolean hooks take True or False. No height of text is fixed, so larger system fonts fit.
"""

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from flowergui.desktop.style.colors import DARK, LIGHT, Theme
from flowergui.desktop.style.stylesheet import stylesheet

SPACE = 8
"""Pixels between neighbours; margins of cards and gaps between panels are multiples of it."""


class ThemeSignals(QObject):
    """Signals of the theme; the only object is `signals`."""

    changed = Signal(object)
    """The new Theme; the stylesheet is in place already."""


signals = ThemeSignals()

_current = LIGHT
_scheme = "auto"


def current() -> Theme:
    """The colours in use now."""
    return _current


def scheme() -> str:
    """The scheme that `apply` was called with: "auto", "light" or "dark"."""
    return _scheme


def apply(app: QApplication, scheme: str = "auto") -> None:
    """Gives `app` its palette and stylesheet. "auto" follows the system, live; "light" and "dark"
    override it."""
    global _scheme
    _scheme = scheme
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    hints = app.styleHints()
    wanted = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    # The platform needs it too, for title bars and native dialogs.
    hints.setColorScheme(wanted.get(scheme, Qt.ColorScheme.Unknown))
    hints.colorSchemeChanged.connect(_follower.follow, Qt.ConnectionType.UniqueConnection)
    dark = hints.colorScheme() == Qt.ColorScheme.Dark if scheme == "auto" else scheme == "dark"
    _set_look(app, DARK if dark else LIGHT)


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


def tabular(widget: QWidget) -> None:
    """Gives `widget` digits of equal width, so that changing numbers do not move."""
    font = widget.font()
    font.setFeature(QFont.Tag("tnum"), 1)
    widget.setFont(font)


def _set_look(app: QApplication, theme: Theme) -> None:
    global _current
    _current = theme
    app.setPalette(_palette(theme))
    app.setStyleSheet(stylesheet(theme, app.font()))
    signals.changed.emit(theme)


class _Follower(QObject):
    @Slot(Qt.ColorScheme)
    def follow(self, system: Qt.ColorScheme) -> None:
        """The system went light or dark."""
        app = QApplication.instance()
        if _scheme == "auto" and isinstance(app, QApplication):
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
