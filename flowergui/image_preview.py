"""Small images for frontends, decoded at once."""

from pathlib import Path


def read_preview(path: str | Path, edge: int) -> tuple[int, int, bytes]:
    """The width, height and RGB bytes of an image, scaled so that its longer side has at most
    `edge` pixels. Raises FlowerError if it can't be read."""
    from flowergui.learning.data import image_io

    image = image_io.read(Path(path), at_least=edge)
    image.thumbnail((edge, edge))
    return *image.size, image.tobytes()
