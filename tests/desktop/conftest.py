"""What the window's tests share: settings that are thrown away, and jobs that end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from flowergui.desktop import worker


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Path:
    """The window's settings of this test alone."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def _jobs_end() -> Iterator[None]:
    """No worker outlives its test."""
    yield
    assert worker.end_all(20_000)
