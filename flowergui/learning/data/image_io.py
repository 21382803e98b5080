"""The one way a picture file becomes pixels, for training and prediction alike."""

import math
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from flowergui.errors import FlowerError

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jfif"}
    | {".ppm", ".pgm", ".heic", ".heif"}
)
"""File endings (in lower case) that are taken for photos."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM", "HEIF", "MPO")
"""What Pillow may try: a file is judged by its content, whatever its ending says."""

PIXELS = 100_000_000
"""A larger picture is refused before it is decoded: 24 kB of PNG can hold 200 megapixels."""

BACKGROUND = (255, 255, 255)
"""What shows through where a picture is transparent."""


class UnreadableError(FlowerError):
    """A picture that can't be read; `reason` is the message without the file's name."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name} can't be read: {reason}.")
        self.reason = reason


def read(path: Path, *, at_least: int = 0) -> Image.Image:
    """The picture as RGB, the right way up.

    EXIF orientation is applied, 16-bit and floating-point greys are scaled to 8 bits,
    transparency is laid on BACKGROUND, and of an animation the first frame is taken.
    Where `at_least` is not 0, a JPEG may come smaller than it is stored, but with no side
    under `at_least` pixels (ten times faster for large photos).

    Raises UnreadableError.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes and odd metadata
            with Image.open(path, formats=_readable()) as picture:
                if math.prod(picture.size) > PIXELS:
                    width, height = picture.size
                    limit = f"{PIXELS // 1_000_000} megapixels"
                    raise UnreadableError(path, f"{width} x {height} pixels are more than {limit}")
                if at_least:
                    picture.draft("RGB", (at_least, at_least))
                picture.load()
                return _rgb(_upright(picture))
    except UnreadableError:
        raise
    except Exception as error:  # decoders of broken files raise nearly anything
        raise UnreadableError(path, _why(path, error)) from error


@cache
def _readable() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow knows: asked for another, it raises KeyError. HEIF comes
    with a package of its own."""
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets a picture upright, by EXIF's orientation (Exif 2.32, tag 0x0112)."""


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation means it. Pillow's own exif_transpose writes the other
    tags anew, and fails where one is odd, as photo editors leave them."""
    try:
        turn = _TURNS.get(int(picture.getexif().get(ExifTags.Base.Orientation, 1)))
    except Exception:  # EXIF that can't be read at all turns nothing
        turn = None
    if turn is None:
        return picture
    turned = picture.transpose(turn)
    if "transparency" in picture.info:
        turned.info["transparency"] = picture.info["transparency"]
    return turned


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I") or picture.mode == "F":
        return _grey8(picture).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        ground = Image.new("RGBA", clear.size, (*BACKGROUND, 255))
        return Image.alpha_composite(ground, clear).convert("RGB")
    return picture.convert("RGB")


def _grey8(picture: Image.Image) -> Image.Image:
    """Greys of more than 8 bits, scaled: 16-bit integers by their range, others by theirs."""
    grey = np.asarray(picture, dtype=np.float64)
    top = 65535.0 if picture.mode.startswith("I;16") else float(grey.max(initial=0.0))
    if picture.mode == "I" and top > 255:
        top = 65535.0 if top <= 65535 else top
    elif picture.mode in ("I", "F") and 1 < top <= 255:
        top = 255.0
    elif picture.mode == "F" and top <= 1:
        top = 1.0
    scaled = np.clip(np.nan_to_num(grey) / max(top, 1e-12), 0, 1) * 255
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _why(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is not there any more"
    if isinstance(error, PermissionError):
        return "permission denied"
    if path.suffix.lower() in (".heic", ".heif"):
        return "HEIC photos need the package pillow-heif"
    if isinstance(error, UnidentifiedImageError):
        empty = path.stat().st_size == 0
        return "it is empty" if empty else "its content is no picture of a known kind"
    return str(error).rstrip(".") or type(error).__name__
