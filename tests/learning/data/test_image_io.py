"""Every kind of picture file becomes the RGB pixels that a person would see."""

import os
import shutil
import socket
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from flowergui.image_suffixes import HEIF_SUFFIXES, IMAGE_SUFFIXES
from flowergui.learning.data.image_io import UnreadableError, read
from flowergui.learning.data.photo_check import check_file

RED, BLUE = (255, 0, 0), (0, 0, 255)


def pixel(picture: Image.Image, x: int = 0, y: int = 0) -> tuple[int, ...]:
    assert picture.mode == "RGB"
    return picture.getpixel((x, y))


def two_halves(size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, *size))
    return picture


@pytest.mark.parametrize(
    ("orientation", "size", "red", "blue"),
    [
        (1, (40, 20), (2, 10), (38, 10)),
        (2, (40, 20), (38, 10), (2, 10)),
        (3, (40, 20), (38, 10), (2, 10)),
        (6, (20, 40), (10, 2), (10, 38)),
        (8, (20, 40), (10, 38), (10, 2)),
    ],
)
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_the_camera_was_turned(
    tmp_path: Path, kind: str, orientation: int, size: tuple[int, int], red, blue
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    two_halves().save(tmp_path / f"turned.{kind}", exif=exif, quality=95)
    picture = read(tmp_path / f"turned.{kind}")
    assert picture.size == size
    assert pixel(picture, *red) == pytest.approx(RED, abs=3)
    assert pixel(picture, *blue) == pytest.approx(BLUE, abs=3)


def test_16_bit_greys_are_scaled(tmp_path: Path) -> None:
    greys = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(greys).save(tmp_path / "deep.png")
    Image.fromarray(greys.astype(np.int32)).save(tmp_path / "deep.tif")
    for name in ("deep.png", "deep.tif"):
        seen = np.asarray(read(tmp_path / name))
        assert seen[0].tolist() == [[0] * 3, [1] * 3, [128] * 3, [255] * 3]


def twelve_bits(values: list[int]) -> bytes:
    """A TIFF of one row, whose pixels are packed; Pillow can't write them."""
    bits = "".join(f"{value:012b}" for value in values)
    row = int(bits, 2).to_bytes(len(bits) // 8, "big")
    facts = {256: len(values), 257: 1, 258: 12, 259: 1, 262: 1, 277: 1, 278: 1, 279: len(row)}
    facts[273] = start = 8 + 2 + 12 * 9 + 4
    entries = [struct.pack("<HHII", tag, 4, 1, facts[tag]) for tag in sorted(facts)]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4)
    assert len(head) == start
    return head + row


def test_12_bit_greys_are_scaled(tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(twelve_bits([0, 1000, 2048, 4095]))
    assert np.asarray(read(tmp_path / "scan.tif"))[0, :, 0].tolist() == [0, 62, 128, 255]


def as_before(greys: np.ndarray, top: float) -> np.ndarray:
    """The pixels as all versions have scaled them, in float64."""
    return np.rint(np.clip(np.nan_to_num(greys.astype(np.float64)) / top, 0, 1) * 255)


def test_every_grey_is_rounded_as_ever(tmp_path: Path) -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(every).save(tmp_path / "all.png")
    assert np.array_equal(np.asarray(read(tmp_path / "all.png"))[..., 0], as_before(every, 65535))
    chance = np.random.default_rng(0)
    for top in (1.0, 255.0, 3e5):
        greys = chance.uniform(-0.1 * top, top, (700, 900)).astype(np.float32)
        Image.fromarray(greys).save(tmp_path / "float.tif")
        seen = np.asarray(read(tmp_path / "float.tif"))[..., 0]
        assert np.array_equal(seen, as_before(greys, greys.max() if top > 255 else top))


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_greys_of_more_bits_take_little_memory(tmp_path: Path, dtype: type) -> None:
    greys = np.random.default_rng(0).integers(0, 65535, (2000, 2000)).astype(dtype)
    Image.fromarray(greys).save(tmp_path / "large.tif")
    tracemalloc.start()
    try:
        read(tmp_path / "large.tif")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < (2 * greys.itemsize + 4) * greys.size


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floating_point_greys_are_scaled(tmp_path: Path, top: float) -> None:
    greys = np.array([[0, 0.5 * top, top]], dtype=np.float32)
    Image.fromarray(greys).save(tmp_path / "float.tif")
    assert np.asarray(read(tmp_path / "float.tif"))[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_number_leaves_the_others(tmp_path: Path, odd: float) -> None:
    greys = np.array([[0, 0.5, 1.0, odd]], dtype=np.float32)
    Image.fromarray(greys).save(tmp_path / "float.tif")
    seen = np.asarray(read(tmp_path / "float.tif"))[0, :, 0].tolist()
    assert seen == [0, 128, 255, 255 if odd == np.inf else 0]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(tmp_path: Path, mode: str) -> None:
    clear = Image.new("RGBA", (4, 1), (0, 0, 0, 255))
    clear.putpixel((1, 0), (0, 0, 0, 0))
    if mode == "P":
        picture = Image.new("P", (4, 1), 0)
        picture.putpalette([0, 0, 0, *RED, *BLUE, 0, 0, 0])
        picture.putpixel((1, 0), 3)
        picture.save(tmp_path / "clear.png", transparency=3)
    else:
        clear.convert(mode).save(tmp_path / "clear.png")
    picture = read(tmp_path / "clear.png")
    assert [pixel(picture, x) for x in range(3)] == [(0, 0, 0), (255, 255, 255), (0, 0, 0)]


def test_half_transparent_is_half_white(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (255, 0, 0, 128)).save(tmp_path / "half.png")
    assert pixel(read(tmp_path / "half.png")) == pytest.approx((255, 127, 127), abs=1)


@pytest.mark.parametrize(
    ("mode", "colour", "seen"),
    [
        ("CMYK", (0, 255, 255, 0), (254, 0, 0)),
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("YCbCr", (76, 85, 255), (254, 0, 0)),
    ],
)
def test_colours_of_other_kinds(tmp_path: Path, mode: str, colour, seen) -> None:
    Image.new(mode, (16, 16), colour).save(tmp_path / "other.tif")
    assert pixel(read(tmp_path / "other.tif")) == pytest.approx(seen, abs=2)
    if mode != "1":
        Image.new(mode, (16, 16), colour).save(tmp_path / "other.jpg")
        assert pixel(read(tmp_path / "other.jpg", at_least=4)) == pytest.approx(seen, abs=3)


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame(tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    path = tmp_path / f"moving.{kind}"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    assert pixel(read(path)) == pytest.approx(RED, abs=2)


def test_a_file_is_judged_by_its_content(tmp_path: Path) -> None:
    two_halves().save(tmp_path / "photo.png")
    (tmp_path / "photo.png").rename(tmp_path / "photo.jpg")
    assert pixel(read(tmp_path / "photo.jpg", at_least=8)) == RED


@pytest.mark.parametrize("side", [10, 60, 100, 200, 5000])
def test_a_draft_is_no_smaller_than_asked(tmp_path: Path, side: int) -> None:
    two_halves((800, 480)).save(tmp_path / "large.jpg")
    picture = read(tmp_path / "large.jpg", at_least=side)
    assert min(picture.size) >= min(side, 480)
    assert (min(picture.size) < 480) == (side <= 200)


# --- refused ----------------------------------------------------------------------------------


def reason(path: Path) -> str:
    with pytest.raises(UnreadableError) as refused:
        read(path)
    assert refused.value.message == f"{path.name} can't be read: {refused.value.reason}."
    return refused.value.reason


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    Image.new("1", (12_000, 9_000)).save(tmp_path / "bomb.png")
    assert (
        reason(tmp_path / "bomb.png")
        == "it has 12000 x 9000 pixels, and the limit is 100 megapixels"
    )
    Image.new("1", (20_000, 20_000)).save(tmp_path / "worse.png")
    assert "pixels" in reason(tmp_path / "worse.png")


def test_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("a flower")
    (tmp_path / "live.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 200)
    shutil.copy(tmp_path / "live.heic", tmp_path / "renamed.jpg")
    (tmp_path / "folder.jpg").mkdir()
    assert reason(tmp_path / "empty.jpg") == "the file is empty"
    assert reason(tmp_path / "text.jpg") == "it is not an image of a known format"
    for name in ("live.heic", "renamed.jpg"):
        assert reason(tmp_path / name) == "HEIC images need the package pillow-heif"
    assert reason(tmp_path / "gone.jpg") == "the file no longer exists"
    assert reason(tmp_path / "folder.jpg") == "it is a folder, not a file"


def test_what_is_no_file_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a pipe would wait for somebody who writes into it."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "itself.jpg").symlink_to("itself.jpg")
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")
        assert reason(tmp_path / "socket.jpg") == "it is a socket, not a file"
    assert reason(tmp_path / "pipe.jpg") == "it is a named pipe, not a file"
    assert reason(Path("/dev/zero")) == "it is a device, not a file"
    assert reason(tmp_path / "gone.jpg") == "it is a link to a file that is not there"
    assert reason(tmp_path / "itself.jpg") == "Too many levels of symbolic links"
    assert reason(tmp_path / ("a" * 300 + ".jpg")) == "File name too long"
    assert reason(Path("a\0b.jpg")) == "the file no longer exists"


def test_a_large_scan_is_refused_in_plain_words(tmp_path: Path) -> None:
    """Pillow calls it a denial of service."""
    Image.new("1", (20_000, 10_000)).save(tmp_path / "scan.png")
    assert reason(tmp_path / "scan.png") == "it has more pixels than the limit of 100 megapixels"


def test_long_texts_in_a_picture_do_not_keep_it_out(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("workflow", "a flower, " * 200_000, zip=True)
    two_halves().save(tmp_path / "generated.png", pnginfo=texts)
    assert pixel(read(tmp_path / "generated.png")) == RED


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - HEIF_SUFFIXES))
def test_every_ending_that_is_taken_can_be_read(tmp_path: Path, suffix: str) -> None:
    kind = {".pjpeg": "JPEG", ".pjp": "JPEG", ".jfif": "JPEG"}.get(suffix)
    picture = two_halves().convert("1") if suffix == ".pbm" else two_halves()
    picture.save(tmp_path / f"flower{suffix}", kind)
    assert read(tmp_path / f"flower{suffix}").size == (40, 20)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif"])
def test_a_torn_file(tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"whole.{kind}")
    content = (tmp_path / f"whole.{kind}").read_bytes()
    (tmp_path / f"torn.{kind}").write_bytes(content[: len(content) // 2])
    assert reason(tmp_path / f"torn.{kind}")


@pytest.mark.parametrize("tag", [0x011A, 0x0128])
def test_odd_exif_keeps_no_photo_out(tmp_path: Path, tag: int) -> None:
    """Editors leave a resolution that is a text: Pillow, which writes the tags of a turned photo
    anew, fails at it."""
    turned, odd = struct.pack("<HHII", 0x0112, 3, 1, 6), struct.pack("<HHI", tag, 2, 4) + b"odd\0"
    first, second = (odd, turned) if tag < 0x0112 else (turned, odd)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + first + second + bytes(4)
    two_halves().save(tmp_path / "odd.jpg", exif=exif)
    with Image.open(tmp_path / "odd.jpg") as picture, pytest.raises((TypeError, struct.error)):
        ImageOps.exif_transpose(picture)
    assert read(tmp_path / "odd.jpg").size == (20, 40)


def test_exif_that_is_no_exif_turns_nothing(tmp_path: Path) -> None:
    two_halves().save(tmp_path / "odd.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    assert read(tmp_path / "odd.jpg").size == (40, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_turn_is_pillows(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    two_halves().save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as picture:
        theirs = ImageOps.exif_transpose(picture)
    assert np.array_equal(np.asarray(read(tmp_path / "turned.png")), np.asarray(theirs))


def test_a_colour_that_means_transparent_is_white(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    two_halves().save(tmp_path / "clear.png", transparency=RED, exif=exif)
    picture = read(tmp_path / "clear.png")
    assert (pixel(picture, 10, 2), pixel(picture, 10, 38)) == ((255, 255, 255), BLUE)


@pytest.mark.parametrize(
    "failure", [MemoryError(), OSError("out of memory error when reading image file")]
)
def test_lack_of_memory_does_not_count_as_an_unreadable_image(
    failure: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "good.png"
    Image.new("RGB", (20, 20)).save(path)

    def fail(image: Image.Image) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr("PIL.ImageFile.ImageFile.load", fail)
        with pytest.raises(MemoryError):
            read(path)
        assert check_file(path) == ""
    path.write_bytes(b"no image")
    assert check_file(path) == "it is not an image of a known format"
