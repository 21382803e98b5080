"""Files in archives: found by an index that is made once, and read where they are."""

import io
import multiprocessing
import os
import pickle
import struct
import tarfile
import threading
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from shards import write_tar, write_zip

from flowergui.store import archives, paths
from flowergui.store.archive_formats import index as archive_index
from flowergui.store.archive_formats import members as archive_members
from flowergui.store.archive_formats.members import ArchiveError, Omitted
from flowergui.store.archives import Archive

FILES = {"rose/1.jpg": b"red" * 500, "rose/2.jpg": b"", "tulip/1.jpg": bytes(range(256)) * 3}


def opened(path: Path) -> Archive:
    steps = archives.open_archive(str(path))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            archive: Archive = end.value
            return archive


def contents(path: Path) -> dict[str, bytes]:
    """All files of an archive, read one by one by their paths."""
    found = {}
    for name in opened(path).index.all_names():
        member = archives.find(path / name)
        assert member is not None
        found[name] = member.read()
        assert archives.file_size(f"{path}/{name}") == len(found[name])
    return found


def omitted(path: Path) -> dict[Omitted, tuple[int, str]]:
    return dict(opened(path).index.omitted)


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_gives_the_bytes_that_went_in(tmp_path: Path, format: int) -> None:
    long = "/".join(["a" * 60] * 3) + "/1.jpg"
    files = {**FILES, long: b"long", "rose/ö.jpg": b"umlaut"}
    assert contents(write_tar(tmp_path / "a.tar", files, format)) == files


@pytest.mark.parametrize("deflated", [True, False])
def test_a_zip_gives_the_bytes_that_went_in(tmp_path: Path, deflated: bool) -> None:
    files = {**FILES, "rose/ö.jpg": b"umlaut", f"{'n' * 900}.jpg": b"a long name"}
    assert contents(write_zip(tmp_path / "a.zip", files, deflated=deflated)) == files


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("玫瑰/1.jpg", "gbk"),
        ("百合（白）/图 (2).jpg", "gbk"),
        ("Rösli/Übung ß.jpg", "cp437"),
        ("riñón/1.jpg", "cp437"),
        ("玫瑰/ö.jpg", "utf-8"),
    ],
)
def test_names_of_no_declared_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    """As Windows packs them in China and elsewhere, and other programs."""
    raw = name.encode(encoding)
    plain = "x" * len(raw)
    path = write_zip(tmp_path / "a.zip", {plain: b"red"})
    path.write_bytes(path.read_bytes().replace(plain.encode(), raw))
    assert contents(path) == {name: b"red"}


def test_a_zip_behind_a_program_and_with_a_comment(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"of 1999" * 100
    behind = tmp_path / "b.zip"
    behind.write_bytes(b"PK\3\4" + b"\0" * 1000 + path.read_bytes())
    assert contents(path) == contents(behind) == FILES


def test_a_zip64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    path = write_zip(tmp_path / "a.zip", FILES)
    assert b"PK\6\6" in path.read_bytes()
    assert contents(path) == FILES


def test_the_index_is_made_once_and_again_after_a_change(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES)
    assert contents(path) == FILES
    (stored,) = paths.archive_cache_folder().iterdir()
    before = stored.stat().st_mtime_ns
    archives._archives.clear()  # as in a new process
    assert contents(path) == FILES
    assert stored.stat().st_mtime_ns == before
    changed = {"rose/9.jpg": b"new"}
    write_tar(path, changed)
    os.utime(path, ns=(1, 1))
    assert contents(path) == changed
    assert len(list(paths.archive_cache_folder().iterdir())) == 1


@pytest.mark.parametrize("spoil", ["cut", "flip", "empty"])
def test_a_spoilt_index_is_made_again(tmp_path: Path, spoil: str) -> None:
    path = write_tar(tmp_path / "a.tar", FILES)
    opened(path)
    (stored,) = paths.archive_cache_folder().iterdir()
    whole = stored.read_bytes()
    middle = len(whole) // 2
    stored.write_bytes(
        {
            "cut": whole[:middle],
            "flip": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "empty": b"",
        }[spoil]
    )
    archives._archives.clear()
    assert contents(path) == FILES
    assert stored.read_bytes() == whole


def test_no_cache_folder_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FLOWERGUI_CACHE", str(tmp_path / "file"))
    assert contents(write_tar(tmp_path / "a.tar", FILES)) == FILES


def test_progress_is_told_while_the_index_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_index, "PROGRESS_FILES", 2)
    for path in (write_tar(tmp_path / "a.tar", FILES), write_zip(tmp_path / "a.zip", FILES)):
        assert list(archives.open_archive(str(path))) == [2]
        assert list(archives.open_archive(str(path))) == []


def test_names_that_lead_outside_and_links_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", "./rose//1.jpg"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"data"))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"rose/{kind.decode()}.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert contents(path) == {"rose/1.jpg": b"data"}
    assert omitted(path) == {
        Omitted.UNSAFE_NAME: (3, "../evil.jpg"),
        Omitted.LINK: (4, "rose/2.jpg"),
    }
    path = write_zip(tmp_path / "a.zip", {"../evil.jpg": b"", "c:\\evil.jpg": b"", "a.jpg": b"1"})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert contents(path) == {"a.jpg": b"1"}
    assert omitted(path) == {
        Omitted.UNSAFE_NAME: (2, "../evil.jpg"),
        Omitted.LINK: (1, "link.jpg"),
    }


def test_large_files_and_odd_methods_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowergui.store.archive_formats.tar_headers.MAX_MEMBER_BYTES", 1000)
    monkeypatch.setattr("flowergui.store.archive_formats.zip_directory.MAX_MEMBER_BYTES", 1000)
    path = write_tar(tmp_path / "a.tar", FILES)
    assert omitted(path) == {Omitted.TOO_LARGE: (1, "rose/1.jpg")}
    path = write_zip(tmp_path / "a.zip", FILES)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("lzma.jpg", b"packed" * 20)
    found = omitted(path)
    assert found == {Omitted.TOO_LARGE: (1, "rose/1.jpg"), Omitted.METHOD: (1, "lzma.jpg")}
    assert all(why.reason() for why in Omitted)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Its directory says that it has 10 bytes."""
    path = write_zip(tmp_path / "a.zip", {"a.jpg": b"\0" * 10_000_000})
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<L", 10_000_000), struct.pack("<L", 10)))
    member = archives.find(path / "a.jpg")
    assert member is not None
    with pytest.raises(OSError, match="damaged"):
        member.read()


def test_a_flipped_bit_in_a_zip_is_noticed(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.jpg": b"content"}, deflated=False)
    path.write_bytes(path.read_bytes().replace(b"content", b"contenu", 1))
    member = archives.find(path / "a.jpg")
    assert member is not None
    with pytest.raises(OSError, match="damaged"):
        member.read()


def test_of_a_cut_archive_the_rest_is_used(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES)
    whole = path.read_bytes()
    path.write_bytes(whole[: 512 + 2 * 512 + 700])  # within the second file's header
    assert set(contents(path)) == {"rose/1.jpg"}
    assert omitted(path) == {Omitted.CUT_OFF: (1, "")}
    path.write_bytes(whole[:600])  # within the first file's data
    assert contents(path) == {}
    assert omitted(path) == {Omitted.CUT_OFF: (1, "")}
    headers = [number for number in range(0, len(whole), 512) if b"tulip" in whole[number:][:90]]
    spoilt = bytearray(whole)
    spoilt[headers[0] + 3] ^= 1
    path.write_bytes(spoilt)
    assert set(contents(path)) == {"rose/1.jpg", "rose/2.jpg"}
    assert omitted(path) == {Omitted.DAMAGED: (1, "")}


def refused(path: Path) -> ArchiveError:
    with pytest.raises(ArchiveError) as error:
        opened(path)
    assert path.name in error.value.message
    return error.value


def test_what_can_not_be_read_at_all_is_refused_with_one_sentence(tmp_path: Path) -> None:
    cut = write_zip(tmp_path / "cut.zip", FILES)
    cut.write_bytes(cut.read_bytes()[:400])
    assert "list of files" in refused(cut).reason
    (tmp_path / "text.tar").write_text("no archive" * 100)
    assert "not a .tar" in refused(tmp_path / "text.tar").reason
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz"):
        pass
    assert "Unpack" in refused(tmp_path / "a.tar.gz").hint
    (tmp_path / "a.tar.gz").rename(tmp_path / "b.tar")
    assert "gzip" in refused(tmp_path / "b.tar").reason
    assert "No such file" in refused(tmp_path / "none.tar").reason


def test_damaged_archives_never_raise_anything_else(tmp_path: Path) -> None:
    """A byte here and there is changed, or the end is missing."""
    for whole in (write_tar(tmp_path / "a.tar", FILES), write_zip(tmp_path / "a.zip", FILES)):
        content = whole.read_bytes()
        path = tmp_path / f"spoilt{whole.suffix}"
        for number in range(0, min(len(content), 4000), 23):
            spoilt = bytearray(content)
            spoilt[number] ^= 0xFF
            for variant in (spoilt, content[:number]):
                path.write_bytes(variant)
                os.utime(path, ns=(number, number))
                try:
                    for name in opened(path).index.all_names():
                        member = archives.find(path / name)
                        assert member is not None
                        member.read()
                except (ArchiveError, OSError):
                    pass


def test_a_header_of_negative_length_ends_the_archive(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES)
    header = tarfile.TarInfo("x")
    header.type = tarfile.XHDTYPE
    block = bytearray(header.tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = b"-0001130\0\0\0\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path.write_bytes(bytes(block) + path.read_bytes())
    assert omitted(path) == {Omitted.DAMAGED: (1, "")}


def test_of_two_files_of_one_name_the_last_counts(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a.jpg": b"old"})
    with tarfile.open(path, "a") as archive:
        member = tarfile.TarInfo("a.jpg")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"new"))
    assert contents(path) == {"a.jpg": b"new"}


def test_labels_are_read_with_the_headers(tmp_path: Path) -> None:
    files = {"1.jpg": b"a", "1.cls": b"rose\n", "2.cls": b"tulip", "2.jpg": b"b", "3.jpg": b"c"}
    for path in (write_tar(tmp_path / "a.tar", files), write_zip(tmp_path / "a.zip", files)):
        index = opened(path).index
        labels = [index.label_names[number] if number >= 0 else "" for number in index.labels]
        assert list(zip(index.all_names(), labels, strict=True)) == [
            ("1.jpg", "rose"),
            ("2.jpg", "tulip"),
            ("3.jpg", ""),
        ]


def test_a_folder_that_is_called_like_an_archive_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a.tar" / "b.zip"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(b"plain")
    assert archives.find(folder / "1.jpg") is None
    assert archives.file_size(str(folder / "1.jpg")) == 5
    write_tar(folder / "c.tar", {"x.jpg": b"inner"})
    member = archives.find(folder / "c.tar" / "x.jpg")
    assert member is not None
    assert member.read() == b"inner"
    assert archives.is_dataset(folder)


def test_what_is_not_there(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES)
    assert archives.find(tmp_path / "none.tar" / "1.jpg") is None
    with pytest.raises(FileNotFoundError):
        archives.find(path / "rose" / "3.jpg")
    assert archives.file_size(f"{path}/rose/3.jpg") is None
    assert not archives.exists(path / "rose")
    assert archives.exists(path / "rose" / "1.jpg")
    with pytest.raises(FileNotFoundError):
        archives.file_facts(path / "rose" / "1.jpg" / "x")


def test_checkpoints_are_no_datasets(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", FILES)
    write_zip(tmp_path / "torch.tar", FILES)  # as torch.save writes one
    write_tar(tmp_path / "model_best.pth.tar", FILES)
    write_tar(tmp_path / "old.tar", {"sys_info": b"", "pickle": b""})
    found = {path.name for path in tmp_path.iterdir() if archives.is_dataset(path)}
    assert found == {"a.tar"}


def test_copies_reach_into_archives(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES)
    os.utime(path, ns=(10**18, 10**18))
    copy = tmp_path / "copy.jpg"
    archives.copy_file(path / "rose" / "1.jpg", copy)
    assert copy.read_bytes() == FILES["rose/1.jpg"]
    assert copy.stat().st_mtime_ns == 10**18
    assert archives.read_start(f"{path}/rose/1.jpg", 4) == b"redr"


def test_threads_read_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_OPEN_FILES", 2)  # fewer than there are archives
    files = {f"{number}.bin": bytes([number]) * 5000 for number in range(50)}
    places = [write_tar(tmp_path / f"{number}.tar", files) for number in range(3)]
    places.append(write_zip(tmp_path / "a.zip", files))
    wrong: list[str] = []

    def read() -> None:
        for name, content in files.items():
            for place in places:
                member = archives.find(place / name)
                if member is None or member.read() != content:
                    wrong.append(f"{place}/{name}")

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(archives._handles) <= 2


def test_where_there_is_no_pread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pread", raising=False)
    assert contents(write_tar(tmp_path / "a.tar", FILES)) == FILES


def test_an_index_of_a_million_names_is_small() -> None:
    """Some 60 bytes for each file, and no object of Python's."""
    members = archive_members.Members()
    for number in range(10_000):
        members.names.append(b"class/photo_%07d.jpg" % number)
        members.offsets.append(number * 2048)
        members.sizes.append(1000)
    index = archive_index._sorted(members)
    held = len(index.names) + sum(
        each.itemsize * len(each) for each in (index.starts, index.offsets, index.sizes)
    )
    assert held < 60 * 10_000
    assert len(zlib.compress(pickle.dumps(index.names))) < held


def test_the_indexes_can_be_removed(tmp_path: Path) -> None:
    opened(write_tar(tmp_path / "a.tar", FILES))
    assert archive_index.remove_indexes() > 0
    assert list(paths.archive_cache_folder().iterdir()) == []
    assert archive_index.remove_indexes() == 0


def test_many_sizes_are_those_of_each_file(tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    write_tar(shards / "0.tar", FILES)
    write_zip(shards / "1.zip", FILES)
    (shards / "plain.jpg").write_bytes(b"123")
    names = [f"{shard}/{name}" for shard in ("0.tar", "1.zip") for name in (*FILES, "none.jpg")]
    names += ["plain.jpg", *reversed(names), "1.zip/rose/1.jpg", "2.tar/rose/1.jpg", "none"]
    inner = [*FILES, "none", *reversed(FILES)]
    for folder, asked in ((shards, names), (shards / "0.tar", inner)):
        sizes = archives.FileSizes(folder)
        found = [sizes.of(path) for path in asked]
        assert found == [archives.file_size(f"{folder}/{path}") for path in asked]
        assert any(size is None for size in found)


def test_spawned_processes_read_too(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", FILES)
    opened(path)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        found = list(pool.map(archives.read_start, [f"{path}/{name}" for name in FILES], [9] * 3))
    assert found == [content[:9] for content in FILES.values()]
