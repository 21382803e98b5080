"""Archives of images open as folders of classes do."""

import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from scanning import ready_split, scanned
from shards import files_of, webdataset, write_shards, write_tar, write_zip

from flowergui.errors import FlowerError
from flowergui.events import Scanned, ScanProgress
from flowergui.facts import Problem
from flowergui.learning.data import photo_check
from flowergui.learning.data.photos import Photos
from flowergui.learning.data.scan import scan
from flowergui.learning.data.split import split_photos
from flowergui.store import archives
from flowergui.store.archive_formats import index as archive_index

NUMBERS = {"daisy": 0, "iris": 1, "lily": 2}


def counts(found: Photos) -> dict[str, int]:
    return dict(Counter(found.classes[photo.label] for photo in found.train))


def validation(found: Photos) -> dict[str, int]:
    return dict(Counter(found.classes[photo.label] for photo in found.validation))


@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_one_archive_is_the_folder_that_was_packed(
    flat: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    """Paths, classes, split and fingerprint are the same."""
    folder, _ = scanned(flat)
    (flat / "iris" / "broken.jpg").write_text("no image")
    path = write(tmp_path / f"packed.{write.__name__[6:]}", files_of(flat))
    found, events = scanned(path)
    assert (found.train, found.classes, found.layout) == (folder.train, folder.classes, "flat")
    assert [each.path for each in found.problems] == ["iris/broken.jpg"]
    one, other = (split_photos(each, 0.2, 3) for each in (folder, found))
    assert one.fingerprint() == other.fingerprint()
    told = events[-1]
    assert isinstance(told, Scanned)
    assert told.folder == str(path)
    assert all(archives.is_file(each) for count in told.classes for each in count.examples)


def test_the_classes_of_shards_are_joined(flat: Path, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", files_of(flat), 3)
    (shards / "README").write_text("about")
    found, _ = scanned(shards)
    assert counts(found) == {"daisy": 5, "iris": 5, "lily": 5}
    assert found.train[0].path == "shard-0000.tar/daisy/daisy_0.jpg"
    assert found.problems == ()
    assert "The images are in 3 archives." in found.notes
    assert [each.path for each in found.leftovers] == ["README"]


@pytest.mark.parametrize("inner", ["", "flowers/"])
def test_a_ready_split_inside(flat: Path, tmp_path: Path, inner: str) -> None:
    files = {f"{inner}{name}": content for name, content in files_of(ready_split(flat, "val"))
             .items()}  # fmt: skip
    for place in (
        write_tar(tmp_path / "one.tar", files),
        write_shards(tmp_path / "shards", files, 2),
    ):
        found, _ = scanned(place)
        assert counts(found) == {"daisy": 3, "iris": 3, "lily": 3}
        assert validation(found) == {"daisy": 2, "iris": 2, "lily": 2}


@pytest.mark.parametrize("name", ["{part}-{number:06}.tar", "{part}/{number:06}.tar"])
@pytest.mark.parametrize("labelled", [False, True])
def test_a_ready_split_by_the_names_of_shards(
    flat: Path, tmp_path: Path, name: str, labelled: bool
) -> None:
    ready_split(flat, "val")
    for part in ("train", "val"):
        files = files_of(flat / part)
        for number in range(2):
            dealt = dict(list(files.items())[number::2])
            path = tmp_path / "shards" / name.format(part=part, number=number)
            write_tar(path, webdataset(dealt) if labelled else dealt)
    found, _ = scanned(tmp_path / "shards")
    assert counts(found) == {"daisy": 3, "iris": 3, "lily": 3}
    assert validation(found) == {"daisy": 2, "iris": 2, "lily": 2}
    assert found.layout == "split"


def test_webdataset_names_the_class_in_a_file_beside(flat: Path, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", webdataset(files_of(flat)), 1)
    write_tar(shards / "more.tar", {"9.jpg": b"", "9.txt": b"a flower", "8.png": b""})
    found, _ = scanned(shards)
    assert counts(found) == {"daisy": 5, "iris": 5, "lily": 5}
    assert found.train[0].path == "shard-0000.tar/00000.jpg"
    assert [(each.path, each.count) for each in found.problems] == [("more.tar/8.png", 2)]
    assert any(".cls" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "daisy\niris\nlily\n"),
        ("classnames.txt", "daisy\r\niris\r\nlily"),
        ("classes.json", '["daisy", "iris", "lily"]'),
        ("classes.json", '{"0": "daisy", "1": "iris", "2": "lily"}'),
        ("classes.json", '{"iris": 1, "lily": 2, "daisy": 0}'),
    ],
)
def test_webdataset_numbers_get_their_names(
    flat: Path, tmp_path: Path, name: str, text: str
) -> None:
    shards = write_shards(tmp_path / "shards", webdataset(files_of(flat), NUMBERS), 1)
    (shards / name).write_text(text)
    assert counts(scanned(shards)[0]) == {"daisy": 5, "iris": 5, "lily": 5}
    (shards / "shard-0000.tar").rename(shards / "one.tar")
    found, _ = scanned(shards / "one.tar")
    assert found.classes == ("daisy", "iris", "lily")


def test_webdataset_numbers_without_names(flat: Path, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", webdataset(files_of(flat), NUMBERS), 1)
    assert counts(scanned(shards)[0]) == {"0": 5, "1": 5, "2": 5}
    (shards / "classes.txt").write_text("daisy\niris\n")
    found, _ = scanned(shards)
    assert counts(found) == {"daisy": 5, "iris": 5}
    (problem,) = found.problems
    assert (problem.count, "classes.txt" in problem.reason) == (5, True)
    (shards / "classes.txt").unlink()
    (shards / "classes.json").write_text("{")
    found, _ = scanned(shards)
    assert found.classes == ("0", "1", "2")
    assert [each.path for each in found.problems] == ["classes.json"]


def test_an_archive_for_each_class(flat: Path, tmp_path: Path) -> None:
    for folder in flat.iterdir():
        write_tar(tmp_path / "packed" / f"{folder.name}.tar", files_of(folder))
    found, _ = scanned(tmp_path / "packed")
    assert counts(found) == {"daisy": 5, "iris": 5, "lily": 5}
    assert found.train[0].path == "daisy.tar/daisy_0.jpg"


def test_an_archive_for_each_class_as_finder_packs_it(flat: Path, tmp_path: Path) -> None:
    for folder in flat.iterdir():
        files = files_of(folder)
        extra = {f"__MACOSX/._{name}": b"attributes" for name in files} | {".DS_Store": b""}
        write_zip(tmp_path / "packed" / f"{folder.name}.zip", files | extra)
    found, _ = scanned(tmp_path / "packed")
    assert counts(found) == {"daisy": 5, "iris": 5, "lily": 5}
    assert not found.problems
    leftovers = {each.path for each in found.leftovers}
    assert leftovers >= {"daisy.zip/__MACOSX", "daisy.zip/.DS_Store"}


def refusal(path: Path) -> FlowerError:
    with pytest.raises(FlowerError) as refused:
        scanned(path)
    assert refused.value.hint
    return refused.value


def test_shards_without_classes_are_refused(flat: Path, tmp_path: Path) -> None:
    files = {f"{number}.jpg": b"" for number in range(6)}
    error = refusal(write_shards(tmp_path / "shards", files, 2))
    assert ".cls" in error.hint


def test_archives_beside_images_are_passed_over(flat: Path) -> None:
    write_tar(flat / "backup.tar", {"rose/1.jpg": b"", "tulip/1.jpg": b""})
    write_zip(flat / "download.zip", {"rose/1.jpg": b"", "tulip/1.jpg": b""})
    found, _ = scanned(flat)
    assert found.classes == ("daisy", "iris", "lily")
    assert {each.path for each in found.leftovers} == {"backup.tar", "download.zip"}
    assert found.notes == ()


def test_what_is_hidden_in_archives_is_passed_over(flat: Path, tmp_path: Path) -> None:
    files = files_of(flat)
    files |= {"__MACOSX/daisy/._1.jpg": b"", "daisy/.hidden.jpg": b"", "daisy/Thumbs.db": b""}
    files |= {"daisy/notes.txt": b"", "daisy/1.cr2": b"", "README": b""}
    found, _ = scanned(write_tar(tmp_path / "a.tar", files))
    assert len(found.train) == 15
    assert found.problems == (
        Problem("daisy/1.cr2", ".cr2 files are not read; convert them to JPEG or PNG"),
    )
    assert {each.path for each in found.leftovers} == {
        *("daisy/.hidden.jpg", "__MACOSX", "README"),
    }


def test_spoilt_shards_are_problems_and_the_others_are_used(flat: Path, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", files_of(flat), 3)
    cut = shards / "shard-0001.tar"
    cut.write_bytes(cut.read_bytes()[:3000])
    (shards / "shard-0003.tar").write_text("no archive")
    with tarfile.open(shards / "shard-0004.tar.gz", "w:gz"):
        pass
    with tarfile.open(shards / "shard-0005.tar", "w") as archive:
        link = tarfile.TarInfo("iris/link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found, _ = scanned(shards)
    reasons = {each.path: each.reason for each in found.problems}
    assert "cut off" in reasons["shard-0001.tar"]
    assert "not a .tar" in reasons["shard-0003.tar"]
    assert "gzip" in reasons["shard-0004.tar.gz"]
    assert "links" in reasons["shard-0005.tar/iris/link.jpg"]
    assert 10 <= len(found.train) < 15


def test_compressed_archives_are_refused_with_a_way_out(flat: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    with tarfile.open(packed / "flowers.tar.xz", "w:xz") as archive:
        archive.add(flat, "flowers")
    for path in (packed / "flowers.tar.xz", packed):
        error = refusal(path)
        assert "flowers.tar.xz" in error.message
        assert "Unpack" in error.hint
    (tmp_path / "text.tar").write_text("no archive")
    assert "not a .tar" in refusal(tmp_path / "text.tar").message


def test_progress_is_told_and_a_scan_can_be_given_up(
    flat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = write_shards(tmp_path / "shards", files_of(flat), 2)
    monkeypatch.setattr(archive_index, "PROGRESS_FILES", 2)
    monkeypatch.setattr("flowergui.learning.data.scan.PROGRESS_FILES", 4)
    going = scan(shards)
    listed = [next(going) for _ in range(3)]
    assert listed == [ScanProgress(0, 2), ScanProgress(0, 4), ScanProgress(0, 6)]
    going.close()
    assert len(scanned(shards)[0].train) == 15


def test_nothing_is_opened_of_a_large_set(
    flat: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = write_shards(tmp_path / "shards", files_of(flat), 2)
    monkeypatch.setattr(photo_check, "MAX_CHECKED_FIRST", 14)
    monkeypatch.setattr(archives.Archive, "read", lambda *_: pytest.fail("an image was opened"))
    assert [type(event) for event in scan(shards, thorough=False)][-1] is Scanned


def test_copies_in_two_classes_are_noticed(flat: Path, tmp_path: Path) -> None:
    shutil.copy(flat / "iris" / "iris_0.jpg", flat / "lily" / "copy.jpg")
    found, _ = scanned(write_tar(tmp_path / "a.tar", files_of(flat)))
    assert any("two classes" in note for note in found.notes)


def test_deep_names_do_not_exhaust_the_stack(flat: Path, tmp_path: Path) -> None:
    files = {**files_of(flat), f"daisy/{'a/' * 1500}1.jpg": files_of(flat)["daisy/daisy_0.jpg"]}
    found, _ = scanned(write_tar(tmp_path / "a.tar", files))
    assert counts(found) == {"daisy": 6, "iris": 5, "lily": 5}


def test_the_archive_may_be_anywhere(flat: Path, tmp_path: Path) -> None:
    write_tar(tmp_path / "flowers.tar", files_of(flat))
    os.symlink(tmp_path / "flowers.tar", tmp_path / "link.tar")
    assert len(scanned(tmp_path / "link.tar")[0].train) == 15
