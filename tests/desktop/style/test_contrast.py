"""The contrast of the colours that are used together (WCAG 2.2, level AA), in both themes."""

import re
from collections.abc import Iterator

import pytest
from accessible import contrast
from PySide6.QtGui import QColor, QFont

from flowergui.desktop.style.colors import DARK, LIGHT, Theme
from flowergui.desktop.style.stylesheet import stylesheet

TEXT, GRAPHICS = 4.5, 3.0
"""The least ratios: of text (1.4.3); of frames, focus indicators and curves (1.4.11)."""
READABLE = 2.5
"""WCAG asks nothing of disabled text; one would like to know what it is that is disabled."""

both_themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def grounds(theme: Theme) -> tuple[str, ...]:
    """What widgets stand on."""
    return theme.background, theme.card, theme.sunken


def rules(theme: Theme, *, disabled: bool = False) -> Iterator[tuple[str, dict[str, str]]]:
    """The selectors and the declarations of each rule of the stylesheet."""
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", stylesheet(theme, QFont())):
        pairs = (line.partition(":")[::2] for line in body.split(";") if ":" in line)
        if (":disabled" in selector) == disabled:
            yield selector.strip(), {name.strip(): value.strip() for name, value in pairs}


def color_in(value: str) -> str:
    """The colour of a declaration, "" if it has none."""
    found = re.search(r"#[0-9a-f]{6}\b", value)
    return found[0] if found else ""


def too_faint(pairs: Iterator[tuple[str, str, str]], least: float) -> list[str]:
    """Those of the pairs (where, colour, ground) that can't be told apart."""
    found = ((where, a, b, contrast(QColor(a), QColor(b))) for where, a, b in pairs)
    return [f"{where}: {a} on {b} is {ratio:.2f}" for where, a, b, ratio in found if ratio < least]


def text_pairs(theme: Theme, *, disabled: bool) -> Iterator[tuple[str, str, str]]:
    for where, said in rules(theme, disabled=disabled):
        own = color_in(said.get("background", ""))
        for text in ("color", "placeholder-text-color"):
            if color := color_in(said.get(text, "")):
                for ground in (own,) if own else grounds(theme):
                    yield f"{where} {text}", color, ground
        if color := color_in(said.get("selection-color", "")):
            yield where, color, color_in(said["selection-background-color"])


@both_themes
def test_text(theme: Theme) -> None:
    pairs = list(text_pairs(theme, disabled=False))
    assert len(pairs) > 60
    assert too_faint(iter(pairs), TEXT) == []


@both_themes
def test_disabled_text_can_still_be_read(theme: Theme) -> None:
    assert too_faint(text_pairs(theme, disabled=True), READABLE) == []


@both_themes
def test_what_the_stylesheet_does_not_know(theme: Theme) -> None:
    """Labels in the keys of plots, links, and what delegates paint on hovered or chosen rows."""
    on_card = "accent", "info", "success", "warning", "error", "train", "validation", "rate"
    on_rows = "text", "muted", "accent"
    pairs = [(name, getattr(theme, name), ground) for name in on_card for ground in grounds(theme)]
    pairs = [each for each in pairs if each[0] in ("accent", "error") or each[2] == theme.card]
    for ground in (theme.hover, theme.accent_soft):
        pairs += [(name, getattr(theme, name), ground) for name in on_rows]
    assert too_faint(iter(pairs), TEXT) == []


@both_themes
def test_frames_of_fields_and_of_the_focus(theme: Theme) -> None:
    def pairs() -> Iterator[tuple[str, str, str]]:
        for where, said in rules(theme):
            frame = color_in(said.get("border", "")) or color_in(said.get("border-color", ""))
            frame = frame or color_in(said.get("outline", ""))
            field = re.search(r"QLineEdit|::indicator|SpinBox|ComboBox|handle", where)
            if frame and (":focus" in where or field) and "ItemView" not in where:
                for ground in grounds(theme):
                    yield where, frame, ground
            if "QScrollBar::handle" in where and (bar := color_in(said.get("background", ""))):
                for ground in grounds(theme):
                    yield where, bar, ground

    found = list(pairs())
    assert len(found) > 40
    assert too_faint(iter(found), GRAPHICS) == []


@both_themes
def test_curves(theme: Theme) -> None:
    strong = (theme.train, theme.validation, theme.rate, *theme.series)
    dim = (theme.over_card("rate", 0.8).name(),)
    pairs = (("a curve", color, theme.card) for color in (*strong, *dim))
    assert too_faint(pairs, GRAPHICS) == []


def test_the_contrast_is_that_of_the_standard() -> None:
    """Black on white is 21; #767676 is the lightest grey that is legible on white."""
    white = QColor("#ffffff")
    assert contrast(QColor("#000000"), white) == pytest.approx(21)
    assert contrast(white, QColor("#767676")) == pytest.approx(4.54, abs=0.01)
