"""The look: readable in both schemes, and changed live."""

from dataclasses import fields

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QPushButton

from flowergui.desktop import theme


def luminance(color: str) -> float:
    """WCAG 2.2's relative luminance."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in QColor(color).getRgbF()[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def app(qapp: QApplication):
    yield qapp
    theme.apply(qapp)


@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("text", "background"),
        ("text", "card"),
        ("text", "hover"),
        ("muted", "background"),
        ("muted", "card"),
        ("muted", "hover"),
        ("accent", "card"),
        ("accent", "accent_soft"),
        ("on_accent", "accent"),
        ("on_accent", "accent_hover"),
        ("error", "card"),
        ("error", "background"),
        ("validation", "card"),
        *((kind, f"{kind}_soft") for kind in ("info", "success", "warning", "error")),
    ],
)
def test_text_stands_out_from_its_ground(look, text, ground):
    assert contrast(getattr(look, text), getattr(look, ground)) >= 4.5


@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_every_token_is_a_colour(look):
    tokens = [field.name for field in fields(look) if field.name != "dark"]
    assert all(QColor(getattr(look, token)).isValid() for token in tokens)


def test_choosing_dark_changes_palette_and_tells(app, qtbot):
    theme.apply(app, "light")
    with qtbot.waitSignal(theme.signals.changed) as told:
        theme.apply(app, "dark")
    assert told.args == [theme.DARK]
    assert theme.current() is theme.DARK
    assert app.palette().color(QPalette.ColorRole.Window) == QColor(theme.DARK.background)


def test_the_systems_scheme_is_followed_live(app):
    theme.apply(app, "auto")
    changed = app.styleHints().colorSchemeChanged
    changed.emit(Qt.ColorScheme.Dark)
    assert theme.current() is theme.DARK
    changed.emit(Qt.ColorScheme.Light)
    assert theme.current() is theme.LIGHT
    theme.apply(app, "light")
    changed.emit(Qt.ColorScheme.Dark)
    assert theme.current() is theme.LIGHT


def test_a_hook_shows_at_once(app, qtbot):
    theme.apply(app, "light")
    button = QPushButton("Start")
    qtbot.addWidget(button)
    button.resize(button.sizeHint() * 2)
    plain = button.grab().toImage().pixelColor(20, 6)
    theme.style(button, role="primary")
    assert plain == QColor(theme.LIGHT.card)
    assert button.grab().toImage().pixelColor(20, 6) == QColor(theme.LIGHT.accent)


def test_larger_fonts_make_larger_text(app):
    from flowergui.desktop.stylesheet import stylesheet

    font = app.font()
    font.setPointSizeF(20)
    assert "font-size: 22.0pt" in stylesheet(theme.LIGHT, font)
