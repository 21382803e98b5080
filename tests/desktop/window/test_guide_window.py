"""The guide that the window has with it."""

import re
from itertools import product

import pytest
from PySide6.QtGui import QTextBlock
from PySide6.QtWidgets import QListWidget, QTextBrowser

from flowergui import __version__
from flowergui.cli import commands
from flowergui.desktop.style import theme
from flowergui.desktop.window.guide_window import GuideWindow
from flowergui.store import paths


@pytest.fixture
def window(qtbot):
    made = GuideWindow()
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    return made


def text(window) -> QTextBrowser:
    return window.findChild(QTextBrowser, "guideText")


def chapters(window) -> list[str]:
    names = window.findChild(QListWidget, "guideChapters")
    return [names.item(row).text() for row in range(names.count())]


def first_in_sight(window) -> QTextBlock:
    return text(window).cursorForPosition(text(window).viewport().rect().topLeft()).block()


def test_every_chapter_is_one_click_away(window):
    names = chapters(window)
    assert names[0] == "The first run"
    assert names[-1] == "About"
    for row, name in enumerate(names[:-3]):  # the last ones share a page
        window.findChild(QListWidget).setCurrentRow(row)
        assert first_in_sight(window).text() == name


def test_nothing_is_left_of_the_markup(window):
    words = text(window).toPlainText()
    assert not re.search(r"[*`#|]", words)
    assert f"Flowergui {__version__}, on Python" in words
    assert str(paths.models_folder()) in words


def test_what_it_names_is_there(window):
    guide = paths.resource("guide.md").read_text("utf-8")
    named = set(re.findall(r"`flowergui (\w+)", guide))
    assert named
    assert named <= set(commands.COMMANDS)


def test_it_follows_the_theme(window, qapp):
    theme.apply(qapp, "dark")
    picture = text(window).viewport().grab().toImage()
    points = product(range(picture.width()), range(40))  # a heading
    assert theme.DARK.text in {picture.pixelColor(*point).name() for point in points}
