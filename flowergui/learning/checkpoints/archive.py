"""The zip archive that torch.save writes: what is refused of one before torch reads it.

torch checks no sums (miniz is built without them), so a file that a disk has damaged is read as if
nothing had happened. Each member has its CRC-32 in the archive's directory.
"""

import zipfile
from pathlib import Path
from typing import BinaryIO, Final

from flowergui.errors import FlowerError
from flowergui.text import tr

_TORCH_SCRIPT = ("TorchScript", "torch.save(torch.jit.load(path).state_dict(), new_path)")
_EXPORTED = ("torch.export", "torch.save(torch.export.load(path).state_dict, new_path)")

_PROGRAMS: Final = {
    "constants.pkl": _TORCH_SCRIPT,
    "serialized_exported_program.json": _EXPORTED,
    "models/model.json": _EXPORTED,
}
"""Members by which archives of other writers are known, and what saves their weights alone."""


def check(file: BinaryIO, path: Path) -> None:
    """Raises FlowerError for an archive that torch.save has not written, that would expand beyond
    the file's size, or that is damaged. Files that are no archives pass. `file` is at its beginning
    afterwards."""
    size = file.seek(0, 2)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(archive, size, path)
            wrong = archive.testzip()
    except zipfile.BadZipFile as error:
        if not starts_as_archive(file):
            return  # torch's older format, or no checkpoint at all
        raise damaged(path) from error.__context__ or error  # a disk may have refused to read
    except FlowerError:
        raise
    except Exception as error:  # a damaged directory: zipfile raises different types
        raise damaged(path) from error
    if wrong is not None and _has_checksums(archive):
        raise damaged(path, wrong)
    file.seek(0)


def starts_as_archive(file: BinaryIO) -> bool:
    """Whether a file begins as a zip archive does. It is at its beginning afterwards."""
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    return start == b"PK\3\4"


def _check_members(archive: zipfile.ZipFile, size: int, path: Path) -> None:
    members = archive.infolist()
    for name, (program, code) in _PROGRAMS.items():
        if any(member.filename.endswith(f"/{name}") for member in members):
            raise FlowerError(
                tr("{file} is a program of {program}, not a checkpoint.", file=path.name,
                   program=program),
                hint=tr("Save its weights alone: {code}.", code=code),
            )  # fmt: skip
    if members and not any(member.filename.endswith("data.pkl") for member in members):
        inner = sorted(member.filename for member in members)[0]
        raise FlowerError(
            tr("{file} is a zip archive of other files ({name}), not a checkpoint.",
               file=path.name, name=inner),
            hint=tr("Unpack it, and choose the checkpoint that was in it."),
        )  # fmt: skip
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > size:
        raise FlowerError(
            tr(
                "{file} was rejected: its contents expand beyond the file's size (possible zip "
                "bomb).",
                file=path.name,
            ),
            hint=tr("Ask for a file that torch.save wrote."),
        )


def _has_checksums(archive: zipfile.ZipFile) -> bool:
    """Whether it has sums: torch.serialization.set_crc32_options(False) leaves them out."""
    return any(member.CRC for member in archive.infolist() if member.file_size)


def damaged(path: Path, part: str = "") -> FlowerError:
    """The error for a file of which not all is as it was written; `part` is what is not."""
    if part:
        return FlowerError(
            tr("{file} is damaged: the checksum of {part} is wrong.", file=path.name, part=part),
            hint=tr("Choose another checkpoint, or a copy of this one."),
        )
    return FlowerError(tr("{file} is no checkpoint, or it is damaged.", file=path.name))
