"""Which images a run was trained on, known by their contents, and by size and name if the original
is gone."""

import builtins
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scanning import end_of

from flowergui.config.recipe import Recipe
from flowergui.events import Preparing
from flowergui.learning.data import leakage
from flowergui.learning.data.duplicates import START_BYTES
from flowergui.store.run_folder import RunFolder

BITMAP_BYTES = 2 * START_BYTES


def noise(seed: int, size: int) -> bytes:
    return np.random.default_rng(seed).bytes(size)


def write(folder: Path, images: dict[str, bytes]) -> Path:
    for path, content in images.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def rows_of(folder: Path) -> list[tuple[str, str]]:
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*.bmp"))
    return [(path.as_posix(), path.parts[0]) for path in paths]


@pytest.fixture
def trained_on(tmp_path: Path) -> Callable[[dict[str, bytes]], RunFolder]:
    """Makes a run that was trained on these images."""

    def make(images: dict[str, bytes]) -> RunFolder:
        folder = write(tmp_path / "photos", images)
        run = RunFolder(tmp_path / "run")
        run.path.mkdir()
        run.write_recipe(Recipe(photos=str(folder)))
        rows = [(path, name, "train") for path, name in rows_of(folder)]
        run.write_split((), rows, folder)
        return run

    return make


def unseen(run: RunFolder, folder: Path) -> list[str]:
    _, split = end_of(leakage.unseen_photos(run, folder, rows_of(folder)))
    assert split.trained_on == len(rows_of(folder)) - len(split.unseen)
    return [path for path, _ in split.unseen]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each bitmap was opened."""
    times: Counter[str] = Counter()
    really = builtins.open

    def counting(path: object, *args: object, **more: object) -> object:
        if str(path).endswith(".bmp"):
            times[str(path)] += 1
        return really(path, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(builtins, "open", counting)
    return times


@pytest.mark.parametrize("size", [100, START_BYTES, BITMAP_BYTES])
def test_a_renamed_copy_is_no_unseen_image(
    trained_on: Callable[..., RunFolder], tmp_path: Path, size: int
) -> None:
    content = noise(1, size)
    run = trained_on({"rose/1.bmp": content, "rose/2.bmp": noise(2, size)})
    similar = {
        "rose/renamed.bmp": content,
        "tulip/other class.bmp": content,
        "rose/1.bmp": noise(3, size),
        "rose/other end.bmp": content[:-1] + bytes([content[-1] ^ 1]),
    }
    folder = write(tmp_path / "others", similar)
    assert unseen(run, folder) == ["rose/1.bmp", "rose/other end.bmp"]


def test_each_of_many_bitmaps_of_one_name_is_read_once(
    trained_on: Callable[..., RunFolder], tmp_path: Path, opened: Counter[str]
) -> None:
    classes = range(30)
    run = trained_on({f"{each}/1.bmp": noise(each, BITMAP_BYTES) for each in classes})
    others = {f"{each}/1.bmp": noise(100 + each, BITMAP_BYTES) for each in classes}
    folder = write(tmp_path / "others", others)
    assert len(unseen(run, folder)) == 30
    assert len(opened) == 60
    assert {*opened.values()} == {1}


def test_bitmaps_that_begin_alike_are_read_twice_at_most(
    trained_on: Callable[..., RunFolder], tmp_path: Path, opened: Counter[str]
) -> None:
    begin = noise(0, START_BYTES)
    run = trained_on({f"{each}/1.bmp": begin + noise(each, START_BYTES) for each in range(10)})
    images = {f"{each}/1.bmp": begin + noise(5 + each, START_BYTES) for each in range(10)}
    folder = write(tmp_path / "others", images)
    assert unseen(run, folder) == [f"{each}/1.bmp" for each in range(5, 10)]
    assert {*opened.values()} == {2}


def test_no_file_is_read_that_has_a_size_of_its_own(
    trained_on: Callable[..., RunFolder], tmp_path: Path, opened: Counter[str]
) -> None:
    run = trained_on({"rose/1.bmp": noise(1, 100), "rose/2.bmp": noise(2, 200)})
    folder = write(tmp_path / "others", {"rose/1.bmp": noise(1, 101), "rose/2.bmp": noise(2, 200)})
    assert unseen(run, folder) == ["rose/1.bmp"]
    assert {Path(path).name for path in opened} == {"2.bmp"}


def test_where_the_original_is_gone_size_and_name_decide(
    trained_on: Callable[..., RunFolder], tmp_path: Path
) -> None:
    contents = [noise(seed, 100) for seed in range(4)]
    run = trained_on({f"rose/{number}.bmp": each for number, each in enumerate(contents)})
    folder = write(
        tmp_path / "others",
        {
            "rose/0.bmp": contents[0],
            "rose/1 (2).bmp": contents[1],
            "rose/renamed.bmp": contents[2],
            "rose/3.bmp": contents[3] + b"longer",
        },
    )
    shutil.rmtree(tmp_path / "photos")
    assert unseen(run, folder) == ["rose/3.bmp", "rose/renamed.bmp"]


def test_its_own_images_are_known_by_their_paths(
    trained_on: Callable[..., RunFolder], tmp_path: Path, opened: Counter[str]
) -> None:
    run = trained_on({"rose/1.bmp": noise(1, 100), "rose/2.bmp": noise(2, 100)})
    write(tmp_path / "photos", {"rose/new.bmp": noise(3, 101)})
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    for folder in (tmp_path / "photos", tmp_path / "link"):
        assert unseen(run, folder) == ["rose/new.bmp"]
    assert not opened


def test_splits_of_older_runs_have_no_sizes(
    trained_on: Callable[..., RunFolder], tmp_path: Path
) -> None:
    content = noise(1, 100)
    run = trained_on({"rose/1.bmp": content})
    (run.path / "split.csv").write_text("path,class,split\nrose/1.bmp,rose,train\n")
    folder = write(tmp_path / "others", {"rose/2.bmp": content, "rose/3.bmp": noise(2, 100)})
    assert unseen(run, folder) == ["rose/3.bmp"]


def test_a_long_comparison_tells_how_far_it_is(
    trained_on: Callable[..., RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leakage, "PROGRESS_IMAGES", 2)
    run = trained_on({f"rose/{number}.bmp": noise(number, 100) for number in range(3)})
    folder = write(
        tmp_path / "others", {f"rose/{number}.bmp": noise(9 + number, 100) for number in range(4)}
    )
    told, _ = end_of(leakage.unseen_photos(run, folder, rows_of(folder)))
    assert told == [Preparing("Comparing images", done, 7) for done in (2, 4, 6)]
