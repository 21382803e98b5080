"""The look: readable in both schemes, and changed live."""

from dataclasses import fields
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import quiet_button


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
    theme.apply(qapp, "light")


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
        ("rate", "card"),
        *((kind, f"{kind}_soft") for kind in ("info", "success", "warning", "error")),
    ],
)
def test_text_stands_out_from_its_ground(look, text, ground):
    assert contrast(getattr(look, text), getattr(look, ground)) >= 4.5


@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_fields_stand_out_from_their_ground(look):
    """WCAG 2.2, 1.4.11."""
    assert contrast(look.field, look.card) >= 3


@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_every_token_is_a_colour(look):
    values = [getattr(look, field.name) for field in fields(look) if field.name != "dark"]
    colors = [each for each in values if isinstance(each, str)]
    assert len(values) == len(colors) + 1  # and those of curves
    assert all(QColor(each).isValid() for each in (*colors, *look.series))


SIGHT = {
    "usual": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}
"""How colours look, of linear RGB (Machado, Oliveira and Fernandes, 2009, severity 1)."""


def lab(color: str, sight: str) -> np.ndarray:
    """CIELAB (D65) of a colour as somebody sees it."""
    rgb = np.array(QColor(color).getRgbF()[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    seen = xyz @ np.clip(SIGHT[sight] @ linear, 0, 1) / xyz.sum(axis=1)
    x, y, z = np.where(seen > 0.008856, np.cbrt(seen), 7.787 * seen + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_curves_beside_each_other_are_told_apart(look, sight):
    assert all(contrast(color, look.card) >= 3 for color in look.series)
    for one, other in combinations(look.series, 2):
        apart = np.linalg.norm(lab(one, sight) - lab(other, sight))
        assert apart > 14, (one, other)  # some seven times what can just be seen


def test_choosing_dark_changes_palette_and_tells(app, qtbot):
    theme.apply(app, "light")
    with qtbot.waitSignal(theme.signals.changed) as told:
        theme.apply(app, "dark")
    assert told.args == [theme.DARK]
    assert theme.current() is theme.DARK
    assert app.palette().color(QPalette.ColorRole.Window) == QColor(theme.DARK.background)


def test_the_systems_scheme_is_followed_live(app):
    theme.apply(app, "system")
    changed = app.styleHints().colorSchemeChanged
    changed.emit(Qt.ColorScheme.Dark)
    assert theme.current() is theme.DARK
    changed.emit(Qt.ColorScheme.Light)
    assert theme.current() is theme.LIGHT
    theme.apply(app, "light")
    changed.emit(Qt.ColorScheme.Dark)
    assert theme.current() is theme.LIGHT


def test_changing_numbers_do_not_dance_whatever_the_role(app, qtbot):
    label = QLabel("1")
    qtbot.addWidget(label)
    theme.style(label, role="caption")
    theme.tabular(label)
    label.show()
    assert label.font().featureValue(QFont.Tag("tnum")) == 1
    assert label.font().pointSizeF() < app.font().pointSizeF()


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
    from flowergui.desktop.style.stylesheet import stylesheet

    font = app.font()
    font.setPointSizeF(20)
    assert "font-size: 22.0pt" in stylesheet(theme.LIGHT, font)


def test_a_flush_button_has_no_room_before_its_text(app, qtbot):
    flush, other = quiet_button("Guide", "one", flush=True), quiet_button("Guide", "other")
    for button in (flush, other):
        qtbot.addWidget(button)
    assert flush.sizeHint().width() == other.sizeHint().width() - 7
