"""Folders of images as odd as people's are, and what becomes of them: each is scanned, trained on
for two batches, resumed, evaluated and predicted from."""

import os
import random
import shutil
import stat
import traceback
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone, Event, RunStarted
from flowergui.learning.data.photos import Photos
from flowergui.learning.data.scan import scan
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder

LAYOUTS = (
    ("", ""),
    ("data/flowers", ""),
    ("train", "val"),
    ("Training", "Test"),
    ("training_set/training_set", "test_set/test_set"),
    ("seg_train/seg_train", "seg_test/seg_test"),
    ("train/train", "train/val"),
    ("archive/train2017", "archive/val2017"),
    ("images/Images", ""),
    ("train", ""),
)
"""Where the class folders are, for training and for validation; the latter may be missing."""

NAMES = (
    "rose", "tulip", "train", "réséda", "アイリス", "Löwenzahn & Co, 'x'", "ox\neye", "rose ",
    "-rf", "{name}", "%s", "<b>", "\x1b[31m", "🌻", "con", "a" * 255, "x.jpg", "1", "valid",
)  # fmt: skip
"""Names of classes."""

IMAGES_PER_CLASS = 4


@dataclass(frozen=True)
class Outcome:
    """What a step did with a folder: "done", "refused" with a sentence, or "traceback" """

    step: str
    kind: str
    says: str = ""


def good_images(folder: Path) -> list[Path]:
    """Small images, and a few large or odd ones that can be read, to make links to."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(0)
    made = []
    for number in range(24):
        path = folder / f"{number}.{('jpg', 'png', 'bmp', 'webp')[number % 4]}"
        pixels = chance.integers(0, 256, (24 + number, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        made.append(path)
    texts = PngImagePlugin.PngInfo()
    texts.add_text("workflow", "a flower, " * 200_000, zip=True)
    Image.new("RGB", (32, 32)).save(folder / "texts.png", pnginfo=texts)
    Image.new("CMYK", (32, 32)).save(folder / "print.jpg")
    Image.new("I;16", (32, 32)).save(folder / "deep.png")
    Image.new("1", (20_000, 10_000)).save(folder / "scan.png")  # the only one that is refused
    return [*made, *(folder / name for name in ("texts.png", "print.jpg", "deep.png", "scan.png"))]


def link(source: Path, target: Path) -> None:
    """A second name for a file, which takes no time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        os.link(source, target)


# --- oddities: each takes a class folder, the dataset folder and an image -------------------------

Oddity = Callable[[Path, Path, Path], object]


def _bytes(name: str, content: bytes = b"") -> Oddity:
    return lambda inside, top, image: (inside / name).write_bytes(content)


def _linked(name: str) -> Oddity:
    return lambda inside, top, image: link(image, inside / name)


def _at_top(name: str) -> Oddity:
    return lambda inside, top, image: link(image, top / name)


def _points(name: str, to: str) -> Oddity:
    return lambda inside, top, image: (inside / name).symlink_to(to)


def _closed(name: str) -> Oddity:
    def close(inside: Path, top: Path, image: Path) -> None:
        link(image, inside / name / image.name)
        (inside / name).chmod(0)

    return close


def _closed_file(inside: Path, top: Path, image: Path) -> None:
    shutil.copy(image, inside / "closed.png")
    (inside / "closed.png").chmod(0)


def _cut(inside: Path, top: Path, image: Path) -> None:
    content = image.read_bytes()
    (inside / f"cut{image.suffix}").write_bytes(content[: len(content) // 2])


def _deep(inside: Path, top: Path, image: Path) -> None:
    link(image, inside.joinpath(*["d"] * 60) / image.name)


def _labels(inside: Path, top: Path, image: Path) -> None:
    for number in range(20):
        (inside / f"{number}.xml").write_text("<annotation/>")


def _twin(inside: Path, top: Path, image: Path) -> None:
    """Another spelling of the class."""
    link(image, inside.with_name(unicodedata.normalize("NFD", inside.name)[:100] + " ") / "t.jpg")


ODDITIES: tuple[Oddity, ...] = (
    lambda inside, top, image: os.mkfifo(inside / "pipe.jpg"),
    lambda inside, top, image: os.mkfifo(inside / "pipe"),
    lambda inside, top, image: os.mknod(inside / "socket.png", stat.S_IFSOCK | 0o600),
    _points("zero.png", "/dev/zero"),
    _points("tty.jpg", "/dev/tty"),
    _points("gone.jpg", "nowhere.jpg"),
    _points("itself.jpg", "itself.jpg"),
    _points("itself", "itself"),
    _points("up", ".."),
    _points("root", "/"),
    _points("here", "."),
    _bytes("empty.jpg"),
    _bytes("text.jpg", b"<html>not found</html>"),
    _bytes("nothing.png", bytes(10_000)),
    _cut,
    _bytes("raw.CR2", b"raw"),
    _bytes("other.tga", b"tga"),
    _bytes("phone.heic", b"\0\0\0\x18ftypheic" + bytes(200)),
    _bytes("IMG_0001", b"?"),
    _bytes("half.jpg.crdownload", b"?"),
    _bytes("notes.txt", b"text"),
    _labels,
    _bytes("Thumbs.db", b"db"),
    _bytes(".DS_Store", b"ds"),
    _linked("._IMG_1.jpg"),
    _linked("@eaDir/thumb.jpg"),
    _linked(".picasaoriginals/first.jpg"),
    _at_top("$RECYCLE.BIN/deleted.jpg"),
    _at_top("__MACOSX/rose/x.jpg"),
    _at_top("System Volume Information/x.jpg"),
    _closed("2024"),
    lambda inside, top, image: _closed("lost+found")(top, top, image),
    lambda inside, top, image: _closed("secret")(top, top, image),
    _closed_file,
    _deep,
    _twin,
    _linked("IMG 1.JPG"),
    _linked("x\ny.jpg"),
    _linked("\x1b[2J.png"),
    _linked(os.fsdecode(b"\xff\xfe.jpg")),
    _linked("b" * 251 + ".jpg"),
    _linked("-rf.jpg"),
    _linked("{reason} %s {0}.jpg"),
    _linked("<img src=x>.png"),
    _linked("folder.jpg/inside.jpg"),
    _linked("wrong.gif"),
    _linked("old.jpe"),
    _at_top("cover.jpg"),
    _at_top("masks/1.png"),
    _at_top("test/1.jpg"),
    _at_top("val/1.jpg"),
    lambda inside, top, image: (inside.parent / "empty").mkdir(exist_ok=True),
    lambda inside, top, image: (inside / "empty").mkdir(exist_ok=True),
    lambda inside, top, image: link(image, inside.parent / "lonely" / image.name),
    lambda inside, top, image: (inside.parent / "linked").symlink_to(inside.name),
    lambda inside, top, image: link(image.with_name("scan.png"), inside / "scan.png"),
)


def make(folder: Path, number: int, images: list[Path]) -> None:
    """Makes the odd folder of this number."""
    chance = random.Random(number)
    train, validation = LAYOUTS[number % len(LAYOUTS)]
    names = chance.sample(NAMES, chance.choice((1, 2, 2, 3, 3, 4)))
    for part in filter(None, (train or ".", validation)):
        for name in names:
            for image in chance.sample(images[:-1], IMAGES_PER_CLASS):
                link(image, folder / part / name / image.name)
    root = folder / train
    for oddity in chance.sample(ODDITIES, 7):
        inside = root / chance.choice(names)
        try:
            oddity(inside, folder, chance.choice(images[:-4]))
        except FileExistsError:  # two of them made the same
            continue


def open_again(folder: Path) -> None:
    """Gives the permissions back, so that the folder can be removed."""
    for place, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(os.path.join(place, name)):
                os.chmod(os.path.join(place, name), 0o700)


# --- what becomes of one --------------------------------------------------------------------------


def visit(folder: Path, models: Path) -> Iterator[Outcome]:
    """Does all that a person may do with a folder. A step that raises anything but a FlowerError is
    a "traceback"; files that a scan neither uses nor names are one too."""
    recipe = Recipe(
        photos=str(folder), mode="scratch", model="mynet", image_size=32, batch_size=2, epochs=3,
        device="cpu", precision="float32",
    )  # fmt: skip
    runs: list[Path] = []

    def trained() -> None:
        runs.append(two_batches(lambda live: tasks.train(recipe, live, models)))

    yield attempt("inspect", lambda: account(folder))
    yield attempt("train", trained)
    if runs:
        run = RunFolder(runs[0])
        every = [Path(place, name) for place, _, names in os.walk(folder) for name in names]
        wanted = [folder, *every]
        yield attempt("resume", lambda: two_batches(lambda live: tasks.resume(run.path, live)))
        yield attempt("predict", lambda: len(list(tasks.predict(run.path, wanted))))
        yield attempt("evaluate", lambda: len(list(tasks.evaluate(run.path, folder))))


def attempt(step: str, do: Callable[[], object]) -> Outcome:
    """What a step does."""
    try:
        do()
    except FlowerError as error:
        return Outcome(step, "refused", str(error))
    except Exception:
        return Outcome(step, "traceback", traceback.format_exc())
    return Outcome(step, "done")


def two_batches(begin: Callable[[LiveRequests], Iterator[Event]]) -> Path:
    """Stops a run after two batches; returns its folder."""
    live, seen, run = LiveRequests(), 0, Path()
    for event in begin(live):
        if isinstance(event, RunStarted):
            run = Path(event.run)
        seen += isinstance(event, BatchDone)
        live.stop = live.stop or seen >= 2
    return run


def account(folder: Path) -> None:
    """Raises AssertionError if a scan neither uses nor names one of the files in a folder."""
    scanning = scan(folder)
    while True:
        try:
            next(scanning)
        except StopIteration as end:
            found: Photos = end.value
            break
    used = {photo.path for photo in (*found.train, *found.validation)}
    rows = (*found.problems, *found.leftovers)
    named = {row.path for row in rows}
    grouped = Counter({_kind(row.path): row.count for row in rows if row.count > 1})
    told = " ".join(found.notes)
    lost = []
    for place, folders, names in os.walk(folder):
        here = os.path.relpath(place, folder)
        for name in (*names, *folders):
            path = os.path.normpath(os.path.join(here, name))
            if name in folders and _kind(path) != "leftover":
                continue
            parts = path.split("/")
            above = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
            hidden = any(_kind(part) in ("hidden", "leftover") for part in parts[:-1])
            if not (path in used or above & named or hidden or parts[0] in told.split()):
                lost.append(path)
    for path in lost:
        grouped[_kind(path)] -= 1
    missed = [path for path in lost if grouped[_kind(path)] < 0]
    assert not missed, f"neither used nor named: {missed}"


LEFTOVERS = ("@eaDir", "$RECYCLE.BIN", "__MACOSX", "System Volume Information", "lost+found")


def _kind(path: str) -> str:
    """What is counted together."""
    name = path.rpartition("/")[2]
    if name.startswith("."):
        return "hidden"
    return "leftover" if name in (*LEFTOVERS, "Thumbs.db") else os.path.splitext(name)[1].lower()
