"""The colours of the light and of the dark theme, by what they are for."""

from dataclasses import dataclass

from PySide6.QtGui import QColor


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as #rrggbb. `soft` ones are backgrounds, `on_accent` is text on the accent."""

    dark: bool
    background: str
    card: str
    sunken: str
    hover: str
    border: str
    border_strong: str
    field: str
    """The frame of what can be edited or ticked: 3:1 against its ground (WCAG 1.4.11)."""
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
    """Curves beside each other: each is far from all others, for colour-blind people too."""

    def color(self, token: str, alpha: float = 1.0) -> QColor:
        """The token as a QColor, `alpha` between 0 (invisible) and 1."""
        color = QColor(getattr(self, token))
        color.setAlphaF(alpha)
        return color

    def over_card(self, token: str, share: float) -> QColor:
        """The token at the opacity `share` over a card, as an opaque colour: Qt paints long lines
        thirty times as fast as with a transparent one."""
        return self._over_card(QColor(getattr(self, token)), share)

    def serial(self, number: int, share: float = 1.0) -> QColor:
        """The colour of curve `number`, from 0 (after the last they begin anew), at the opacity
        `share` over a card."""
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
    field="#918d85",
    text="#25222b",
    muted="#67636f",
    faint="#918d98",
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
    rate="#94640f",
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
    field="#757180",
    text="#eceaf0",
    muted="#aaa6b4",
    faint="#787483",
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
