"""What the window's tests share: its looks, settings that are thrown away, and jobs that end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from flowergui.desktop.style import theme
from flowergui.desktop.threads import worker


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Path:
    """The window's settings of this test alone."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session", autouse=True)
def _dressed(qapp: QApplication) -> None:
    """Widgets are as large as their users see them, whichever test came before."""
    theme.apply(qapp, "light")


@pytest.fixture(autouse=True)
def _nothing_outlives_its_test(qapp: QApplication) -> Iterator[None]:
    """No worker, no other theme, and nothing on the clipboard: Python objects there crash Qt at its
    end."""
    yield
    assert worker.end_all(20_000)
    qapp.clipboard().clear()
    if theme.scheme() != "light":
        theme.apply(qapp, "light")
