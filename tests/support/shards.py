"""Archives of images for tests: the files of a folder as one .tar or .zip, or as shards."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path


def files_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder by their paths, sorted."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write_tar(path: Path, files: Mapping[str, bytes], format: int = tarfile.PAX_FORMAT) -> Path:
    """A .tar of these files, in this order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=format) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_zip(path: Path, files: Mapping[str, bytes], *, deflated: bool = True) -> Path:
    """A .zip of these files, in this order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_shards(folder: Path, files: Mapping[str, bytes], count: int = 2) -> Path:
    """A folder of so many shards, among which the files are dealt like cards."""
    for number in range(count):
        dealt = dict(list(files.items())[number::count])
        write_tar(folder / f"shard-{number:04}.tar", dealt)
    return folder


def webdataset(files: Mapping[str, bytes], numbers: Mapping[str, int] | None = None) -> dict:
    """The images of class folders as WebDataset has them: 00001.jpg with 00001.cls, which holds the
    name of the class, or its number."""
    found: dict[str, bytes] = {}
    for count, (path, content) in enumerate(files.items()):
        name = path.split("/")[0]
        found[f"{count:05}.jpg"] = content
        found[f"{count:05}.cls"] = str(numbers[name] if numbers else name).encode()
    return found
