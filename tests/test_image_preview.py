"""Small images for frontends."""

from pathlib import Path

import pytest
from PIL import Image

from flowergui.errors import FlowerError
from flowergui.image_preview import read_preview


def test_the_longer_side_fits(tmp_path: Path) -> None:
    Image.new("RGB", (400, 200), (255, 0, 0)).save(tmp_path / "a.png")
    width, height, pixels = read_preview(tmp_path / "a.png", 100)
    assert (width, height) == (100, 50)
    assert len(pixels) == 3 * width * height
    assert pixels[:3] == b"\xff\x00\x00"
    (tmp_path / "b.png").write_text("no image")
    with pytest.raises(FlowerError):
        read_preview(tmp_path / "b.png", 100)
