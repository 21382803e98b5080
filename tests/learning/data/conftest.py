"""What the tests of datasets share."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def flat(make_photos: Callable[..., Path], tmp_path: Path) -> Path:
    """Three classes of five images, not split."""
    return make_photos(tmp_path / "flowers", classes=3, per_class=5, side=24)
