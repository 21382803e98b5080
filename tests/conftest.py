"""Fixtures of all tests: small datasets, and a temporary folder of runs."""

import gc
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt
os.environ["FLOWERGUI_LANGUAGE"] = "en"  # whatever the system's is

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from translations import compile_into

from flowergui import language
from flowergui.store import paths

CLASSES = ("daisy", "iris", "lily", "rose", "tulip")
COLOURS = ((240, 240, 230), (90, 60, 200), (250, 160, 40), (200, 20, 50), (250, 220, 60))
MakePhotos = Callable[..., Path]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs of this test; the checkout's own is never written to."""
    folder = tmp_path / "models"
    monkeypatch.setenv("FLOWERGUI_MODELS", str(folder))
    monkeypatch.setenv("FLOWERGUI_CACHE", str(folder.with_name("cache")))
    return folder


@pytest.fixture(scope="session")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The translations as they are now, compiled."""
    return compile_into(tmp_path_factory.mktemp("translations"))


@pytest.fixture
def chinese(translations: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program speaks Chinese."""
    monkeypatch.setattr(paths, "translations_folder", lambda: translations)
    monkeypatch.setenv(language.VARIABLE, "zh_CN")
    language.use(language.Language.SIMPLIFIED_CHINESE)
    yield
    language.use(language.Language.ENGLISH)


@pytest.fixture(scope="session")
def make_photos() -> MakePhotos:
    """Draws a folder of photos of at most five classes, each a blob of its own colour on
    noisy green: easy to learn, and no two photos are alike."""

    def make(folder: Path, classes: int = 3, per_class: int = 8, side: int = 48) -> Path:
        chance = np.random.default_rng(7)
        down, across = np.mgrid[0:side, 0:side]
        for name, colour in zip(CLASSES[:classes], COLOURS[:classes], strict=True):
            (folder / name).mkdir(parents=True)
            for number in range(per_class):
                pixels = chance.normal((60, 110, 50), 25, (side, side, 3))
                x, y = chance.uniform(0.35, 0.65, 2) * side
                blob = np.hypot(across - x, down - y) < chance.uniform(0.2, 0.35) * side
                pixels[blob] = chance.normal(colour, 12, (int(blob.sum()), 3))
                picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
                picture.save(folder / name / f"{name}_{number}.jpg", quality=90)
        return folder

    return make


@pytest.fixture
def small_files() -> Callable[[int], AbstractContextManager[None]]:
    """A stand-in for a full disk: while it holds, no file grows beyond so many bytes."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")

    @contextmanager
    def limit(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limit


@pytest.fixture
def flower_photos() -> Path:
    """A folder of real flower photos, named by FLOWERGUI_PHOTOS."""
    if folder := os.environ.get("FLOWERGUI_PHOTOS"):
        return Path(folder)
    return pytest.skip("FLOWERGUI_PHOTOS names no folder of real photos")


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    """The next test speaks English, whatever this one has chosen."""
    yield
    if language.current() is not language.Language.ENGLISH:
        language.use(language.Language.ENGLISH)


@pytest.fixture(autouse=True)
def _no_widget_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test of the window closes what it opened: what stays would paint in the next ones."""
    if "desktop" not in request.path.parts:
        yield
        return
    from PySide6.QtCore import QCoreApplication, QEvent
    from PySide6.QtWidgets import QApplication, QMenu, QWidget

    def widgets() -> set[QWidget]:
        everything = [each for each in QApplication.topLevelWidgets() if each.parent() is None]
        return {each for each in everything if not isinstance(each, QMenu)}  # pyqtgraph's stay

    before = widgets()
    yield
    # Qt deletes what was closed before Python's garbage collector does, which would delete items of
    # layouts before the layouts that hold them (PySide6 6.11).
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert widgets() - before == set()
