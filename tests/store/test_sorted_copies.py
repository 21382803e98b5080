"""Images are copied into folders of their classes, and exactly these copies are removed again."""

import csv
import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from flowergui.errors import FlowerError
from flowergui.events import (
    CopiesRemoved,
    CopyFailed,
    PhotoCopied,
    Predicted,
    Preparing,
    SortedIntoFolders,
)
from flowergui.facts import Prediction, Problem
from flowergui.requests import LiveRequests
from flowergui.store import atomic_io, sorted_copies
from flowergui.store.sorted_copies import MANIFEST, remove_copies, sort_into_folders

LONG_AGO_NS = 1_234_567_890_123_456_789


def photo(folder: Path, name: str, label: str, probability: float) -> Predicted:
    """A file of its own content, and its prediction."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(f"{folder}/{name}".encode(errors="surrogateescape"))
    os.utime(folder / name, ns=(LONG_AGO_NS, LONG_AGO_NS))
    predictions = (Prediction(label, probability), Prediction("other", 1 - probability))
    return Predicted(str(folder / name), predictions, "best.pth", 3)


@pytest.fixture
def photos(tmp_path: Path) -> list[Predicted]:
    """Three sure ones, two of which have the same name, and an unsure one."""
    return [
        photo(tmp_path / "monday", "1.jpg", "rose", 0.9),
        photo(tmp_path / "tuesday", "1.jpg", "rose", 0.8),
        photo(tmp_path / "monday", "2.jpg", "a/b", 0.6),
        photo(tmp_path / "monday", "3.jpg", "rose", 0.59),
    ]


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_each_image_is_copied_into_the_folder_of_its_class(
    photos: list[Predicted], tmp_path: Path
) -> None:
    before, out = tree(tmp_path), tmp_path / "out"

    *copied, last = sort_into_folders(photos, out)

    names = ["rose/1.jpg", "rose/1 (2).jpg", "a_b/2.jpg", "unsure/3.jpg"]
    assert copied == [
        PhotoCopied(each.path, str(out / name), number, 4)
        for number, (each, name) in enumerate(zip(photos, names, strict=True), start=1)
    ]
    manifest = out / MANIFEST
    assert last == SortedIntoFolders(str(out), str(manifest), 4, 1, 0, stopped=False)
    for each, name in zip(photos, names, strict=True):
        assert (out / name).read_bytes() == Path(each.path).read_bytes()
        assert (out / name).stat().st_mtime_ns == Path(each.path).stat().st_mtime_ns
    assert tree(out).keys() == {*names, MANIFEST}
    shutil.rmtree(out)
    assert tree(tmp_path) == before  # nothing was moved


def test_many_images_of_one_name_do_not_try_each_others_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    really = atomic_io.rename_new

    def rename(source: Path, target: Path) -> None:
        tried.append(target)
        really(source, target)

    monkeypatch.setattr(atomic_io, "rename_new", rename)
    photos = [photo(tmp_path / str(number), "image.jpg", "rose", 0.9) for number in range(30)]
    list(sort_into_folders(photos, tmp_path / "out"))
    numbered = {f"rose/image ({number}).jpg" for number in range(2, 31)}
    assert tree(tmp_path / "out").keys() == {"rose/image.jpg", *numbered, MANIFEST}
    assert len(tried) < 2 * len(photos)


def test_the_manifest_lists_the_copies(tmp_path: Path) -> None:
    odd = b'\xff, "1".jpg'.decode("utf-8", "surrogateescape")
    first = photo(tmp_path, odd, "réséda, jaune", 0.75)
    list(sort_into_folders([first], tmp_path / "out"))
    raw = (tmp_path / "out" / MANIFEST).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")  # so that Excel reads UTF-8
    with (tmp_path / "out" / MANIFEST).open(
        encoding="utf-8-sig", errors="surrogateescape", newline=""
    ) as file:
        (row,) = csv.DictReader(file)
    assert row["copy"] == f"réséda, jaune/{odd}"
    assert (row["path"], row["predicted"]) == (first.path, "réséda, jaune")
    assert (float(row["probability"]), row["second"]) == (0.75, "other")


def test_undo_removes_exactly_the_copies(photos: list[Predicted], tmp_path: Path) -> None:
    before, out = tree(tmp_path), tmp_path / "new" / "out"
    list(sort_into_folders(photos, out))

    *progress, last = remove_copies(out / MANIFEST)

    assert progress[-1] == Preparing("Removing the copies", 4, 4)
    assert last == CopiesRemoved(str(out / MANIFEST), 4, ())
    assert tree(tmp_path) == before
    assert not (tmp_path / "new").exists()  # which was made for them


def test_undo_keeps_what_was_there_and_what_was_changed(
    photos: list[Predicted], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "rose").mkdir(parents=True)
    (out / "rose" / "1.jpg").write_text("mine")
    (out / "a_b").mkdir()  # empty, but not made by us
    list(sort_into_folders(photos, out))
    assert (out / "rose" / "1.jpg").read_text() == "mine"
    (out / "rose" / "1 (2).jpg").write_text("painted on")
    os.utime(out / "unsure" / "3.jpg")  # the same content, saved anew
    (out / "a_b" / "notes.txt").write_text("later")

    *_, last = remove_copies(out / MANIFEST)

    assert isinstance(last, CopiesRemoved)
    assert last.removed == 2
    assert [each.path for each in last.kept] == [
        str(out / "rose" / "1 (2).jpg"),
        str(out / "unsure" / "3.jpg"),
    ]
    assert tree(out).keys() == {
        *("rose/1.jpg", "rose/1 (2).jpg", "unsure/3.jpg", "a_b/notes.txt", MANIFEST)
    }


def test_what_undo_can_not_remove_is_told_and_removed_when_it_can_be(
    photos: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    list(sort_into_folders(photos, out))
    locked, really = out / "rose" / "1.jpg", Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path == locked:
            raise PermissionError(errno.EACCES, "Permission denied")
        really(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        *_, last = remove_copies(out / MANIFEST)
    assert last == CopiesRemoved(
        str(out / MANIFEST), 3, (), (Problem(str(locked), "Permission denied"),)
    )
    assert tree(out).keys() == {"rose/1.jpg", MANIFEST}
    assert [*remove_copies(out / MANIFEST)][-1] == CopiesRemoved(str(out / MANIFEST), 1, ())
    assert not out.exists()


def test_undo_leaves_empty_folders_that_were_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "rose").mkdir(parents=True)
    list(sort_into_folders([photo(tmp_path, "1.jpg", "rose", 0.9)], out))
    list(remove_copies(out / MANIFEST))
    assert [*out.iterdir()] == [out / "rose"]


def test_a_second_sort_has_a_manifest_of_its_own(photos: list[Predicted], tmp_path: Path) -> None:
    out = tmp_path / "out"
    list(sort_into_folders(photos[:1], out))
    before = tree(out)
    *_, last = sort_into_folders(photos[1:2], out)
    assert isinstance(last, SortedIntoFolders)
    assert last.manifest != str(out / MANIFEST)
    list(remove_copies(Path(last.manifest)))
    assert tree(out) == before


def test_an_undone_undo_removes_nothing_more(photos: list[Predicted], tmp_path: Path) -> None:
    manifest = tmp_path / "out" / MANIFEST
    list(sort_into_folders(photos, tmp_path / "out"))
    content = manifest.read_bytes()
    list(remove_copies(manifest))
    manifest.parent.mkdir()
    manifest.write_bytes(content)
    assert [*remove_copies(manifest)][-1] == CopiesRemoved(str(manifest), 0, ())


@pytest.mark.parametrize("name", ["../monday/1.jpg", "/etc/passwd", "1.jpg", "a/../b", ""])
def test_a_manifest_names_no_other_files(
    photos: list[Predicted], tmp_path: Path, name: str
) -> None:
    manifest = tmp_path / "out" / MANIFEST
    list(sort_into_folders(photos[:1], tmp_path / "out"))
    facts = Path(photos[0].path).stat()
    head = manifest.read_text("utf-8-sig").splitlines()[0]
    row = f"{name},x,x,1,x,1,{facts.st_size},{facts.st_mtime_ns},0"
    manifest.write_text(f"{head}\n{row}\n")
    with pytest.raises(FlowerError, match=r"flowergui-copies\.csv can't be read: it is damaged"):
        list(remove_copies(manifest))
    assert Path(photos[0].path).exists()


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\0", "copy,size\nx,y"])
def test_another_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(FlowerError, match=r"t\.csv can't be read"):
        list(remove_copies(tmp_path / "t.csv"))
    with pytest.raises(FlowerError, match=r"u\.csv can't be read: No such file"):
        list(remove_copies(tmp_path / "u.csv"))


def test_a_row_that_was_cut_is_none(photos: list[Predicted], tmp_path: Path) -> None:
    """The program was killed while it wrote."""
    manifest = tmp_path / "out" / MANIFEST
    list(sort_into_folders(photos, tmp_path / "out"))
    with manifest.open("a") as file:
        file.write("rose/4.jpg,/x/4.j")
    *_, last = remove_copies(manifest)
    assert last == CopiesRemoved(str(manifest), 4, ())


def test_stop_ends_it_after_an_image(photos: list[Predicted], tmp_path: Path) -> None:
    live, events = LiveRequests(), []
    for event in sort_into_folders(photos, tmp_path / "out", live=live):
        events.append(event)
        live.stop = len(events) == 2
    manifest = str(tmp_path / "out" / MANIFEST)
    assert events[-1] == SortedIntoFolders(str(tmp_path / "out"), manifest, 2, 0, 0, stopped=True)
    assert [*remove_copies(Path(manifest))][-1] == CopiesRemoved(manifest, 2, ())
    assert not (tmp_path / "out").exists()


def test_adding_up_sizes_tells_how_far_it_is_and_can_be_stopped(
    photos: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorted_copies, "PROGRESS_FILES", 2)
    out, live = tmp_path / "out", LiveRequests()
    events = list(sort_into_folders(photos, tmp_path / "whole"))
    what = "Adding up the sizes of the images"
    assert events[:2] == [Preparing(what, 2, 4), Preparing(what, 4, 4)]
    going = sort_into_folders(photos, out, live=live)
    assert next(going) == Preparing(what, 2, 4)
    live.stop = True
    assert list(going) == [SortedIntoFolders(str(out), "", 0, 0, 0, stopped=True)]
    assert not out.exists()


def test_images_that_have_gone_are_named_and_leave_no_folder(
    photos: list[Predicted], tmp_path: Path
) -> None:
    Path(photos[2].path).unlink()
    events = list(sort_into_folders(photos, tmp_path / "out"))
    assert CopyFailed(photos[2].path, "No such file or directory") in events
    last = events[-1]
    assert isinstance(last, SortedIntoFolders)
    assert (last.copied, last.failed, last.stopped) == (3, 1, False)
    assert not (tmp_path / "out" / "a_b").exists()


def test_nothing_to_copy_leaves_nothing(tmp_path: Path) -> None:
    gone = photo(tmp_path, "1.jpg", "rose", 0.9)
    Path(gone.path).unlink()
    *_, last = sort_into_folders([gone], tmp_path / "out")
    assert last == SortedIntoFolders(str(tmp_path / "out"), "", 0, 0, 1, stopped=False)
    assert not (tmp_path / "out").exists()


def test_too_little_space_is_refused_first(
    photos: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
    with pytest.raises(FlowerError, match=r"only 0\.0 MB of free space"):
        list(sort_into_folders(photos, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up_ends_it_with_whole_copies(
    photos: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def copyfile(source: Path, target: Path) -> None:
        copy(source, target)
        if source.name == "2.jpg":
            target.write_bytes(b"ha")
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    going = sort_into_folders(photos, tmp_path / "out")
    while not isinstance(ended := next(going), SortedIntoFolders):
        pass
    with pytest.raises(FlowerError, match="No space left on device"):
        next(going)
    assert tree(tmp_path / "out").keys() == {"rose/1.jpg", "rose/1 (2).jpg", MANIFEST}
    assert (ended.copied, ended.stopped) == (2, True)
    list(remove_copies(Path(ended.manifest)))
    assert not (tmp_path / "out").exists()


def test_a_copy_that_can_not_be_listed_is_taken_back(
    photos: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undo could not remove it."""
    (tmp_path / "out").mkdir()
    real = Path.open

    def refused(self: Path, mode: str = "r", **options: object) -> object:
        if self.name == MANIFEST:
            raise OSError(errno.EACCES, "Permission denied")
        return real(self, mode, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(FlowerError, match="Permission denied"):
        list(sort_into_folders(photos, tmp_path / "out"))
    assert [*(tmp_path / "out").iterdir()] == []


def test_a_file_in_the_way_is_told(photos: list[Predicted], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FlowerError, match="out is not a folder"):
        list(sort_into_folders(photos, tmp_path / "out"))
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "rose").write_text("a file")
    with pytest.raises(FlowerError, match="rose can't be written"):
        list(sort_into_folders(photos, tmp_path / "dir"))
    assert tree(tmp_path / "dir") == {"rose": b"a file"}


def test_no_file_is_replaced_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(source: object, target: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    with pytest.raises(FileExistsError):
        atomic_io.rename_new(tmp_path / "a", tmp_path / "b")
    assert tree(tmp_path) == {"a": b"a", "b": b"b"}
    atomic_io.rename_new(tmp_path / "a", tmp_path / "c")
    assert tree(tmp_path) == {"c": b"a", "b": b"b"}


def test_a_file_that_can_not_be_removed_is_renamed_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an image would be in two classes."""
    really, source = Path.unlink, tmp_path / "a"

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path == source:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        really(path, missing_ok)

    source.write_text("a")
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(PermissionError):
        atomic_io.rename_new(source, tmp_path / "b")
    assert tree(tmp_path) == {"a": b"a"}


def test_a_drive_that_is_gone_is_told(
    photos: list[Predicted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(path: Path) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    destination = tmp_path / "out"
    monkeypatch.setattr(shutil, "disk_usage", gone)
    with pytest.raises(FlowerError, match="out can't be written: No such file or directory"):
        list(sort_into_folders(photos, destination))
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    with pytest.raises(FlowerError, match="out can't be written: No such file or directory"):
        list(sort_into_folders(photos, destination))
