"""The first look."""

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from flowergui.desktop.style import theme
from flowergui.desktop.training.welcome import Welcome


@pytest.fixture
def welcome(qtbot, qapp):
    made = Welcome()
    qtbot.addWidget(made)
    made.show()
    yield made
    theme.set_zoom(qapp, 100)


@pytest.mark.parametrize("zoom", [100, 150])
@pytest.mark.parametrize("width", [460, 710, 1400])
def test_all_of_it_stands_in_the_middle(welcome, qapp, zoom, width):
    welcome.resize(width, 700)
    theme.set_zoom(qapp, zoom)
    qapp.sendPostedEvents()
    for each in (*welcome.findChildren(QLabel), *welcome.findChildren(QPushButton)):
        center = each.mapTo(welcome, each.rect().center())
        assert abs(center.x() - width / 2) <= 2, each.text()
        assert each.width() <= width - 20
