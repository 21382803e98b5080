"""The sdist and the wheel: what is in them, and that the installed program has all it needs."""

import ast
import configparser
import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

import flowergui
from flowergui.desktop.widgets.windows import DISPLAY_NAME
from flowergui.store import paths

CHECKOUT = Path(flowergui.__file__).parents[1]
SOURCES = ("flowergui", "resources", "tests", "models/README.md", "README.md", "pyproject.toml")
LINUX = CHECKOUT / "resources" / "linux"

SHARED = {
    "share/applications/flowergui.desktop": LINUX / "flowergui.desktop",
    "share/metainfo/flowergui.metainfo.xml": LINUX / "flowergui.metainfo.xml",
    "share/icons/hicolor/scalable/apps/flowergui.svg": CHECKOUT / "resources/icons/flowergui.svg",
}
"""Where desktops look for them, below the prefix of an installation."""

STRAY = (
    "models/2026-11-23_20-47-12_mynet_scratch/last.pth",
    "models/sample-flowers/rose/rose_1.jpg",
    "flowers/rose/rose_1.jpg",
    "dist/flowergui/flowergui",
    "flowergui/__pycache__/text.cpython-311.pyc",
    ".venv/pyvenv.cfg",
)
"""Files that work in a checkout leaves there."""

LOOK = """
import json, sys
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QTextBrowser
import flowergui
from flowergui.desktop import app
from flowergui.desktop.main_window import MainWindow
from flowergui.desktop.window.guide_window import GuideWindow
from flowergui.store import paths

settings, folder = sys.argv[1:]
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, settings)

def look():
    (window,) = (each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow))
    if window.session.dataset is None:
        return
    clock.stop()
    icons = sorted(paths.resource("icons").glob("*.svg"))
    told = {
        "program": flowergui.__file__,
        "classes": [each.name for each in window.session.dataset.classes],
        "icon": window.windowIcon().pixmap(64).toImage().isNull(),
        "icons": [each.name for each in icons if not QImage(str(each)).isNull()],
        "guide": GuideWindow(window).findChild(QTextBrowser, "guideText").toMarkdown(),
        "desktop file": application.desktopFileName(),
    }
    print(json.dumps(told))
    window.close()

application = QApplication(["flowergui"])
clock = QTimer()
clock.timeout.connect(look)
clock.start(50)
sys.exit(app.main(folder))
"""


def build(target: str, source: Path, folder: Path) -> Path:
    """The sdist or the wheel of a checkout. Nothing is downloaded."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def files_in(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout, without what git ignores."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in (*SOURCES, ".gitignore"):
        (folder / name).parent.mkdir(exist_ok=True)
        if (CHECKOUT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.mo")
            shutil.copytree(CHECKOUT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(CHECKOUT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def sources(checkout: Path) -> set[str]:
    return files_in(checkout)


@pytest.fixture(scope="module")
def sdist(checkout: Path, sources: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of a checkout in which somebody has worked, unpacked."""
    for name in STRAY:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("stray")
    packed = build("sdist", checkout, tmp_path_factory.mktemp("sdist"))
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(packed) as archive:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.4
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)
    (unpacked,) = folder.iterdir()
    return unpacked


@pytest.fixture(scope="module")
def wheel(checkout: Path, sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", checkout, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def prefix(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel, which finds the other packages in this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "--no-index", "--no-deps", str(wheel)], check=True)
    (packages,) = folder.rglob("site-packages")
    ours = [each for each in sys.path if Path(each).name in ("site-packages", "dist-packages")]
    (packages / "others.pth").write_text("\n".join(ours), "utf-8")
    return folder


Run = Callable[..., str]


@pytest.fixture
def run(prefix: Path, tmp_path: Path, models: Path) -> Run:
    """Runs a program of that environment away from the checkout, and returns what it prints."""

    def run(program: str, *words: str) -> str:
        place = prefix / ("Scripts" if os.name == "nt" else "bin") / program
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [place, *words],
            cwd=tmp_path,
            env=environment,
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            timeout=300,
            check=True,
        )
        return done.stdout

    return run


def test_the_sdist_has_the_sources_and_nothing_else(sdist: Path, sources: set[str]) -> None:
    assert {name for name in files_in(sdist) if not name.endswith(".mo")} == {*sources, "PKG-INFO"}


def test_the_wheel_has_the_program_and_its_resources(wheel: Path, sources: set[str]) -> None:
    expected = {name for name in sources if name.startswith("flowergui/")}
    for name in sources:
        room, _, rest = name.partition("/")
        if room != "resources" or rest.startswith(("linux/", "packaging/")):
            continue
        if not name.endswith(".py"):
            compiled = f"{rest[:-3]}.mo" if name.endswith(".po") else rest
            expected.add(f"flowergui/resources/{compiled}")
    expected |= {f"flowergui-{flowergui.__version__}.data/data/{name}" for name in SHARED}
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == expected


def test_the_sdist_makes_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "wheel").mkdir()
    ours, theirs = (
        {each.filename: each.CRC for each in zipfile.ZipFile(path).infolist()}
        for path in (wheel, build("wheel", sdist, tmp_path / "wheel"))
    )
    assert ours == theirs


def test_the_installed_program_runs(
    run: Run, prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("flowergui", "--version") == f"flowergui {flowergui.__version__}\n"
    run("flowergui", "sample", "flowers", "--photos-per-class", "2")
    classes = sorted(each.name for each in (tmp_path / "flowers").iterdir() if each.is_dir())
    assert len(classes) == 6
    inspected = run("flowergui", "inspect", "flowers")
    assert all(name in inspected for name in classes)
    monkeypatch.setenv("FLOWERGUI_LANGUAGE", "zh_CN")
    assert "图像" in run("flowergui", "--help")
    monkeypatch.setenv("FLOWERGUI_LANGUAGE", "en")

    told = json.loads(run("python", "-c", LOOK, str(tmp_path / "settings"), "flowers"))
    assert Path(told["program"]).is_relative_to(prefix)
    assert told["classes"] == classes
    assert not told["icon"]
    assert set(told["icons"]) == {each.name for each in (CHECKOUT / "resources/icons").iterdir()}
    heading = paths.resource("guide.md").read_text("utf-8").partition("\n")[0]
    assert heading in told["guide"]
    assert told["desktop file"] == "flowergui"
    for name, source in SHARED.items():
        assert (prefix / name).read_bytes() == source.read_bytes()


def test_desktops_find_the_program_by_one_name(run: Run, prefix: Path) -> None:
    desktop = configparser.ConfigParser(interpolation=None)
    desktop.optionxform = str  # type: ignore[assignment, method-assign]
    desktop.read(SHARED["share/applications/flowergui.desktop"], encoding="utf-8")
    entry = desktop["Desktop Entry"]
    assert (entry["Type"], entry["Icon"], entry["Terminal"]) == (
        "Application", "flowergui", "false",
    )  # fmt: skip
    assert shutil.which(entry["Exec"].split()[0], path=str(prefix / "bin")) or os.name == "nt"

    metainfo = ElementTree.parse(SHARED["share/metainfo/flowergui.metainfo.xml"])
    assert metainfo.findtext("launchable") == "flowergui.desktop"
    release = metainfo.find("releases/release")
    assert release is not None
    assert release.get("version") == flowergui.__version__
    categories = {each.text for each in metainfo.iterfind("categories/category")}
    assert categories == {*entry["Categories"].strip(";").split(";")}


def test_the_program_has_one_name_for_readers() -> None:
    """The command is called flowergui."""
    desktop = SHARED["share/applications/flowergui.desktop"].read_text("utf-8").splitlines()
    assert f"Name={DISPLAY_NAME}" in desktop
    metainfo = ElementTree.parse(SHARED["share/metainfo/flowergui.metainfo.xml"])
    assert metainfo.findtext("name") == DISPLAY_NAME
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    assert readme.startswith(f"# {DISPLAY_NAME}\n")
    installer = (CHECKOUT / "resources/packaging/flowergui.iss").read_text("utf-8")
    assert f"\nAppName={DISPLAY_NAME}\n" in installer
    bundle = (CHECKOUT / "resources/packaging/flowergui.spec").read_text("utf-8")
    assert f'name="{DISPLAY_NAME}.app"' in bundle


def test_the_program_never_imports_what_its_folder_leaves_out() -> None:
    """The folder that PyInstaller makes."""
    spec = ast.parse((CHECKOUT / "resources/packaging/flowergui.spec").read_text("utf-8"))
    (excluded,) = (
        set(ast.literal_eval(node.value))
        for node in ast.walk(spec)
        if isinstance(node, ast.keyword) and node.arg == "excludes"
    )
    assert "triton" in excluded
    imported = set()
    for path in (CHECKOUT / "flowergui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {each.name.partition(".")[0] for each in node.names}
    assert {"torch", "PySide6", "tqdm"} <= imported
    assert imported & excluded == set()


VALIDATORS = {
    "desktop-file-validate": ["share/applications/flowergui.desktop"],
    "appstreamcli": [
        "validate",
        "--no-net",
        "--override=cid-desktopapp-is-not-rdns=info",  # the project owns no domain
        "share/metainfo/flowergui.metainfo.xml",
    ],
}


@pytest.mark.parametrize("validator", VALIDATORS)
def test_the_files_for_desktops_are_valid(validator: str) -> None:
    if shutil.which(validator) is None:
        pytest.skip(f"{validator} is not installed")
    *options, name = VALIDATORS[validator]
    done = subprocess.run([validator, *options, SHARED[name]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
