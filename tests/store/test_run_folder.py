"""The folder of a run: its small files, its lock, and its names of classes."""

import json
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import BatchDone
from flowergui.store.run_folder import RunFolder
from flowergui.store.watching.training_marker import TrainingProcess


@pytest.fixture
def run(models: Path) -> RunFolder:
    return RunFolder.create(
        models, Recipe(photos="/fotos/Rösli", mode="scratch", model="resnet50", epochs=5)
    )


def test_create_makes_a_folder_of_its_own(models: Path, run: RunFolder) -> None:
    second = RunFolder.create(models, run.recipe())
    assert second.path != run.path
    assert run.path.parent == models
    assert run.path.name.endswith("_resnet50_scratch")
    assert run.exists()
    assert run.recipe() == Recipe(photos="/fotos/Rösli", mode="scratch", model="resnet50", epochs=5)


def test_create_refuses_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FlowerError, match="can't be saved in"):
        RunFolder.create(tmp_path / "file" / "models", Recipe())


def test_recipes_that_cannot_be_read(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(FlowerError, match="holds no run"):
        RunFolder(tmp_path).recipe()
    (run.path / "recipe.json").write_text('{"epochs": ')
    with pytest.raises(FlowerError, match=r"recipe\.json can't be read: it is damaged in line 1\."):
        run.recipe()


def test_split_survives(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "rose").mkdir()
    (tmp_path / "rose" / "a, b.jpg").write_bytes(b"123")
    assert run.split() == []
    rows = [
        ("rose/a, b.jpg", "rose", "train"),
        ('tulip/"é\udcff".jpg', "tulip", "validation"),  # a name that is no UTF-8
    ]
    run.write_split(("rose", "tulip"), rows, tmp_path)
    assert run.split() == rows
    assert [size for *_, size in run.split_and_sizes()] == [3, None]


def test_a_failed_write_leaves_the_old_file(run: RunFolder, small_files) -> None:
    before = run.recipe()
    with small_files(20), pytest.raises(FlowerError, match=r"recipe\.json can't be written into"):
        run.write_recipe(replace(before, epochs=9))
    assert run.recipe() == before
    assert [path.name for path in run.path.iterdir()] == ["recipe.json"]


def test_a_foreign_classes_json_replaces_no_labels(run: RunFolder, tmp_path: Path) -> None:
    rows = [("rose/a.jpg", "rose", "train"), ("tulip/a.jpg", "tulip", "train")]
    run.write_split(("rose", "tulip"), rows, tmp_path)
    assert run.current_classes(("rosa", "tulip")) == ("rose", "tulip")  # one was renamed
    assert run.current_classes(("rosa",)) == ("rose",)  # and one is new
    assert run.current_classes(("rose", "tulip", "iris")) == ("rose", "tulip", "iris")
    names = run.path / "classes.json"
    for foreign in ('["cat", "dog"]', '{"0": "cat", "1": "dog"}', "[1, 2]", "spoilt"):
        names.write_text(foreign)
        assert run.current_classes(("rosa", "tulip")) == ("rosa", "tulip")
    (run.path / "recipe.json").unlink()
    names.write_text('["rose", "tulip"]')
    assert run.classes() == ()
    assert run.current_classes(("rosa", "tulip")) == ("rosa", "tulip")  # it is no run


def test_a_split_that_a_spreadsheet_has_saved(run: RunFolder, tmp_path: Path) -> None:
    run.write_split(("rose",), [("rose/a.jpg", "rose", "train")], tmp_path)
    path = run.path / "split.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert run.split() == [("rose/a.jpg", "rose", "train")]
    path.write_text("split,class,path\n\ntrain,rose,rose/b.jpg\n")  # without the sizes, as once
    assert list(run.split_and_sizes()) == [("rose/b.jpg", "rose", "train", None)]
    header = "path,class,split,bytes\n"
    for spoilt in (
        "a;b;c\n1;2;3\n",
        "path\na",
        f"{header}a.jpg,rose\n",
        f"{header}a,b,trial,1",
        f"{header}a\rb",
    ):
        path.write_text(spoilt)
        with pytest.raises(FlowerError, match=r"The list of images in .* can't be read"):
            run.split()


def test_asking_whether_a_run_trains_never_refuses_its_start(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Recipe())
    with run.locked():
        pass
    asking = threading.Event()
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            RunFolder(run.path).is_training()
            asking.set()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert asking.wait(10)
        for _ in range(200):
            with RunFolder(run.path).locked():
                pass
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_run_that_trains_is_recognized(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Recipe())
    assert not run.is_training()
    with run.locked():
        assert RunFolder(run.path).is_training()
        with pytest.raises(FlowerError, match="is already training"), RunFolder(run.path).locked():
            pass
    assert not RunFolder(run.path).is_training()


def test_a_run_that_begins_again_leaves_nothing_to_resume(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Recipe())
    for path in (run.last, run.previous, run.best):
        path.write_bytes(b"a checkpoint")
    run.history.append([BatchDone(1, 1, 3, 1, 1.0, 0.5, 0.0, 4)])
    run.forget_training()
    assert run.newest() is None
    assert not run.best.exists()
    assert list(run.history.events()) == []


@pytest.mark.parametrize(
    ("pid", "trains"),
    [(os.getpid(), True), (1, True), (2**40, False)],
    ids=["this process", "of another user", "of nobody"],
)
def test_a_run_whose_lock_can_not_be_asked_trains_if_its_process_lives(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, pid: int, trains: bool
) -> None:
    """As where it trains in the folder of another user."""

    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with run.locked(), monkeypatch.context() as patch:
        patch.setattr(FileLock, "acquire", closed)
        for host in (socket.gethostname(), "node017"):
            process = {"host": host, "pid": pid, "reads_requests": True}
            run.marker.path.write_text(json.dumps(process))
            assert run.is_training() == (trains and host == socket.gethostname())
        run.marker.path.unlink()
        assert not run.is_training()
    assert not run.is_training()


def test_a_process_of_another_user_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pid: int, signal: int) -> None:
        assert (pid, signal) == (4711, 0)
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refused)
    assert TrainingProcess(socket.gethostname(), 4711).is_alive_here()
    assert not TrainingProcess("node017", 4711).is_alive_here()
    assert not TrainingProcess(socket.gethostname(), 0).is_alive_here()
