"""The look of the whole program: colours, type and one stylesheet, light and dark.

`apply(app)` dresses the program and follows the system's light or dark scheme from then on;
`current()` gives the colours to whoever paints for himself (plots), and `signals.changed` tells
him when to paint anew. Everything else is asked for with dynamic properties, through `style`:

    QPushButton   role="primary"   the one action that matters here (accent colour)
                  role="danger"    stops or throws away
                  role="quiet"     no frame until hovered: small, secondary actions;
                                   flush=True where its text is to stand under other text
                  role="segment"   one of several checkable neighbours (mode, zoom windows)
    QLabel        role="title"     a panel's name
                  role="heading"   a smaller one within a panel
                  role="figure"    a number worth reading from afar
                  role="caption"   muted, a little smaller: explanations, units
                  role="error"     what is wrong, beside the field
                  role="chip"      a small rounded tag; failed=True where it tells of an error
                  role="readout"   a small text that floats over a plot
    QFrame        card=True        a surface with a thin border and round corners
                  line=True        a thin separator (set maximumHeight or Width to 1)
    QLineEdit, QComboBox, spin boxes    invalid=True      red border
    QProgressBar  slim=True        a thin bar without text
    item views    flat=True        no frame of their own, for those on a card
    #dropZone     hot=True         while something droppable is held over it
    #banner       kind="info" | "warning" | "error" | "success"

Boolean hooks take True or False. No height of text is fixed, so larger system fonts fit.
"""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from flowergui.desktop.style.stylesheet import stylesheet

SPACE = 8
"""Pixels between neighbours; margins of cards and gaps between panels are multiples of it."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colour tokens as #rrggbb. `soft` colours are backgrounds, `on_accent` is text on accent."""

    dark: bool
    background: str
    card: str
    sunken: str
    hover: str
    border: str
    border_strong: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    info: str
    info_soft: str
    success: str
    success_soft: str
    warning: str
    warning_soft: str
    error: str
    error_soft: str
    # curves
    train: str
    validation: str
    rate: str
    grid: str
    series: tuple[str, ...]
    """Of curves beside each other: each is far from all others, also to the colour-blind."""

    def color(self, token: str, alpha: float = 1.0) -> QColor:
        """The token as a QColor, `alpha` between 0 (invisible) and 1."""
        color = QColor(getattr(self, token))
        color.setAlphaF(alpha)
        return color

    def over_card(self, token: str, share: float) -> QColor:
        """As much of the token over a card, opaque: Qt paints long lines of it thirty times as
        fast as transparent ones."""
        return self._over_card(QColor(getattr(self, token)), share)

    def serial(self, number: int, share: float = 1.0) -> QColor:
        """The colour of curve `number` (from 0; after the last they begin anew), as much of it
        over a card."""
        return self._over_card(QColor(self.series[number % len(self.series)]), share)

    def _over_card(self, over: QColor, share: float) -> QColor:
        under = QColor(self.card)
        pairs = (
            (over.red(), under.red()),
            (over.green(), under.green()),
            (over.blue(), under.blue()),
        )
        return QColor(*(round(share * one + (1 - share) * other) for one, other in pairs))


LIGHT = Theme(
    dark=False,
    background="#f5f4f1",
    card="#ffffff",
    sunken="#faf9f7",
    hover="#efedea",
    border="#e2dfd9",
    border_strong="#c9c5bd",
    text="#25222b",
    muted="#67636f",
    faint="#a5a1ab",
    accent="#8d2f6b",
    accent_hover="#772358",
    accent_soft="#f6e8f0",
    on_accent="#ffffff",
    info="#2a5d8f",
    info_soft="#e8f0f8",
    success="#2a6e46",
    success_soft="#e6f3ea",
    warning="#7f5606",
    warning_soft="#fbf1dc",
    error="#a82a33",
    error_soft="#fbe9e9",
    train="#8d2f6b",
    validation="#2c7a4d",
    rate="#a87414",
    grid="#ebe8e3",
    series=(
        *("#8d2f6b", "#2a6fb0", "#c0641a", "#2c7a4d"),
        *("#3f26d9", "#822417", "#349bb2", "#a18145"),
    ),
)

DARK = Theme(
    dark=True,
    background="#19181c",
    card="#222126",
    sunken="#1d1c21",
    hover="#2e2c34",
    border="#37353e",
    border_strong="#514e5b",
    text="#eceaf0",
    muted="#aaa6b4",
    faint="#6d6977",
    accent="#dd86bb",
    accent_hover="#e9a0cc",
    accent_soft="#3d2836",
    on_accent="#2a0d1f",
    info="#8dbdeb",
    info_soft="#1f2d3b",
    success="#86cfa1",
    success_soft="#1e3226",
    warning="#e6bd68",
    warning_soft="#382e1a",
    error="#f29a9a",
    error_soft="#3d2325",
    train="#dd86bb",
    validation="#7cc998",
    rate="#d9ab55",
    grid="#2f2d35",
    series=(
        *("#dd86bb", "#7ab4ea", "#e8a15c", "#7cc998"),
        *("#7f52e0", "#c6394a", "#a8f0e3", "#d5d926"),
    ),
)


class ThemeSignals(QObject):
    """Tells when the look has changed."""

    changed = Signal(object)
    """The new Theme; the stylesheet is in place already."""


signals = ThemeSignals()

_current = LIGHT
_scheme = "auto"


def current() -> Theme:
    """The colours that hold now."""
    return _current


def scheme() -> str:
    """What was asked for: "auto", "light" or "dark"."""
    return _scheme


def apply(app: QApplication, scheme: str = "auto") -> None:
    """Dresses `app`. "auto" follows the system, live; "light" and "dark" hold against it."""
    global _scheme
    _scheme = scheme
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    hints = app.styleHints()
    wanted = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    # The platform is told too, so that title bars and native dialogs agree.
    hints.setColorScheme(wanted.get(scheme, Qt.ColorScheme.Unknown))
    hints.colorSchemeChanged.connect(_follower.follow, Qt.ConnectionType.UniqueConnection)
    dark = hints.colorScheme() == Qt.ColorScheme.Dark if scheme == "auto" else scheme == "dark"
    _dress(app, DARK if dark else LIGHT)


def style(widget: QWidget, **hooks: str | bool) -> None:
    """Sets style hooks (see the module's docstring) and lets them show. What they do to the font
    of a widget that was never shown holds after its `ensurePolished`."""
    for name, value in hooks.items():
        widget.setProperty(name, value)
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):  # else it is still to come
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def tabular(widget: QWidget) -> None:
    """Gives `widget` digits of one width, so that changing numbers do not dance."""
    font = widget.font()
    font.setFeature(QFont.Tag("tnum"), 1)
    widget.setFont(font)


def _dress(app: QApplication, theme: Theme) -> None:
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
            _dress(app, DARK if system == Qt.ColorScheme.Dark else LIGHT)


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
        (role.PlaceholderText, theme.faint),
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
