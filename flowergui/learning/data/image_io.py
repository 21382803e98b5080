"""Decodes image files, in one way for training and prediction."""

import math
import os
import stat
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from flowergui.errors import FlowerError
from flowergui.image_suffixes import HEIF_SUFFIXES
from flowergui.store import archives
from flowergui.text import N_, tr

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM", "HEIF", "MPO", "DIB")
"""The formats that Pillow tries: the content of a file decides, not its suffix."""

MAX_PIXELS = 100_000_000
"""Larger images are refused before they are decoded: 24 kB of PNG can hold 200 megapixels."""

STRIP_PIXELS = 1 << 18
"""Grays of more than 8 bits are scaled in strips of so many pixels."""

BACKGROUND = (255, 255, 255)
"""RGB behind transparent pixels."""


MAX_TEXT_BYTES = 64 * 2**20
"""Texts in a PNG, decompressed, are read up to this size. Pillow's own limit is 1 MiB, which the
prompts and histories exceed that programs write into good images."""
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES

HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
"""How files of HEIF images begin (ISO/IEC 23008-12), whatever their suffix."""

_DECODER_OUT_OF_MEMORY = ImageFile.ERRORS[-9]
"""How Pillow's decoders report that an allocation failed, as an OSError."""


class UnreadableError(FlowerError):
    """An image that can't be read; `reason` says why, without the file's name."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(tr("{name} can't be read: {reason}.", name=path.name, reason=reason))
        self.reason = reason


def read(path: Path, *, at_least: int = 0) -> Image.Image:
    """The image as RGB, upright.

    EXIF orientation is applied, 16-bit and floating-point grays are scaled to 8 bits,
    transparent pixels are blended with BACKGROUND, and the first frame of an animation is taken.
    If `at_least` is not 0, a JPEG may be decoded at a reduced size, with no side under `at_least`
    pixels (ten times faster for large photos).

    Raises UnreadableError, and MemoryError if there is not enough memory.
    """
    try:
        member = archives.find(path)
    except OSError as error:
        raise UnreadableError(path, why_os_error(error)) from error
    # Opening a pipe would wait for somebody to write into it.
    if member is None and (reason := why_no_file(path)):
        raise UnreadableError(path, reason)
    try:
        file = path if member is None else BytesIO(member.read())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes and odd metadata
            with Image.open(file, formats=_readable()) as picture:
                if math.prod(picture.size) > MAX_PIXELS:
                    raise UnreadableError(path, _too_large(picture.size))
                if at_least:
                    picture.draft("RGB", (at_least, at_least))
                white = _white(picture)
                picture.load()
                return _rgb(_upright(picture), white)
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:  # decoders of broken files raise many types
        if _DECODER_OUT_OF_MEMORY in str(error):
            raise MemoryError(f"{path.name} can't be decoded") from error
        raise UnreadableError(path, _why(path, error)) from error


@cache
def _readable() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow knows; it raises KeyError for others. HEIF needs the
    package pillow-heif."""
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
"""EXIF orientation (Exif 2.32, tag 0x0112) -> what turns the image upright."""


def _upright(picture: Image.Image) -> Image.Image:
    """The image, turned by its EXIF orientation. Pillow's exif_transpose also rewrites the other
    tags, and fails on the odd ones that some photo editors write."""
    try:
        turn = _TURNS.get(int(picture.getexif().get(ExifTags.Base.Orientation, 1)))
    except Exception:  # unreadable EXIF: leave the image as it is
        turn = None
    if turn is None:
        return picture
    turned = picture.transpose(turn)
    if "transparency" in picture.info:
        turned.info["transparency"] = picture.info["transparency"]
    return turned


def _white(picture: ImageFile.ImageFile) -> int:
    """The value of white in integer grays of 16 bits. Pillow makes such grays of those with 12 bits
    too, without scaling them. Known until the image is loaded."""
    return 4095 if any("I;12" in (tile.args or ()) for tile in picture.tile) else 65535


def _rgb(picture: Image.Image, white: int) -> Image.Image:
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I") or picture.mode == "F":
        return _gray8(picture, white).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        ground = Image.new("RGBA", clear.size, (*BACKGROUND, 255))
        return Image.alpha_composite(ground, clear).convert("RGB")
    return picture.convert("RGB")


def _gray8(picture: Image.Image, white: int) -> Image.Image:
    """Grays of more than 8 bits, scaled to 8: 16-bit integers from 0 to `white`, others by the
    range that their values suggest."""
    gray = np.asarray(picture)
    top = float(white)
    if not picture.mode.startswith("I;16"):
        top = float(gray.max(initial=0, where=np.isfinite(gray)))
    if picture.mode == "I" and top > 255:
        top = 65535.0 if top <= 65535 else top
    elif picture.mode in ("I", "F") and 1 < top <= 255:
        top = 255.0
    elif picture.mode == "F" and top <= 1:
        top = 1.0
    scaled = np.empty(gray.shape, np.uint8)
    rows = max(1, STRIP_PIXELS // max(gray.shape[1], 1))
    for start in range(0, len(gray), rows):  # in float64, all at once would take 24 bytes a pixel
        strip = np.nan_to_num(gray[start : start + rows].astype(np.float64))
        scaled[start : start + rows] = np.rint(np.clip(strip / max(top, 1e-12), 0, 1) * 255)
    return Image.fromarray(scaled)


def _too_large(size: tuple[int, int]) -> str:
    return tr(
        "it has {width} x {height} pixels, and the limit is {limit} megapixels",
        width=size[0],
        height=size[1],
        limit=MAX_PIXELS // 1_000_000,
    )


_NO_FILES = (
    (stat.S_ISDIR, N_("it is a folder, not a file")),
    (stat.S_ISFIFO, N_("it is a named pipe, not a file")),
    (stat.S_ISSOCK, N_("it is a socket, not a file")),
)


def why_no_file(path: str | Path) -> str:
    """Why there is no file that can be read at `path`; "" if there is one. Nothing is opened."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if archives.is_file(path):
            return ""
        broken = isinstance(error, FileNotFoundError) and os.path.islink(path)
        return tr("it is a link to a file that is not there") if broken else why_os_error(error)
    except ValueError:  # a zero in its name
        return tr("the file no longer exists")
    if stat.S_ISREG(mode):
        return ""
    kinds = (tr(reason) for is_kind, reason in _NO_FILES if is_kind(mode))
    return next(kinds, tr("it is a device, not a file"))


def why_os_error(error: OSError) -> str:
    """Why the system can't read a file or folder, without its path and the error's number."""
    if isinstance(error, FileNotFoundError):
        return tr("the file no longer exists")
    if isinstance(error, PermissionError):
        return tr("permission denied")
    return error.strerror or str(error).rstrip(".")


def _why(path: Path, error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        if not archives.file_size(str(path)):
            return tr("the file is empty")
        if "HEIF" not in _readable() and _is_heif(path):
            return tr("HEIC images need the package pillow-heif")
        return tr("it is not an image of a known format")
    if isinstance(error, Image.DecompressionBombError):  # raised before the size is known
        limit = MAX_PIXELS // 1_000_000
        return tr("it has more pixels than the limit of {limit} megapixels", limit=limit)
    if isinstance(error, OSError) and error.errno:
        return why_os_error(error)
    if isinstance(error, ValueError) and "MAX_TEXT" in str(error):
        return tr("it holds more than {limit} MB of text", limit=MAX_TEXT_BYTES // 2**20)
    detail = str(error).rstrip(".") or type(error).__name__
    return tr("it is damaged ({detail})", detail=detail)


def _is_heif(path: Path) -> bool:
    """By its suffix, or by its first box (ISO/IEC 14496-12): iPhones' images may be named .jpg."""
    start = b""
    with suppress(OSError):
        start = archives.read_start(str(path), 12)
    return path.suffix.lower() in HEIF_SUFFIXES or (
        start[4:8] == b"ftyp" and start[8:] in HEIF_BRANDS
    )
