"""Copying and moving images, without ever replacing a file."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final

from flowergui.store import archives, atomic_io

_NUMBER: Final = re.compile(r" \(\d+\)(?=(?:\.[^.]*)?$)")
"""What `free_names` adds to the name of a file."""

TakenNames = dict[Path, int]
"""A path -> how many of its `free_names` were found to be taken. Who writes many files of one name
keeps it, so that each file does not try the names of all those before it."""


def copy_into(source: Path, folder: Path, taken: TakenNames | None = None) -> Path:
    """Copies a file into a folder by a name that is not taken, with its content and its date, and
    gives the copy, which appears whole. `taken` is as in `free_names`. Raises OSError."""
    half = atomic_io.temp_path(folder / "copy")
    try:
        archives.copy_file(source, half)
        return _rename_into(half, folder / source.name, taken)
    finally:
        half.unlink(missing_ok=True)


def move_into(source: Path, folder: Path) -> Path:
    """Moves a file into a folder by a name that is not taken, and gives its new path. Raises
    OSError; the file is where it was then."""
    try:
        return _rename_into(source, folder / source.name)
    except FileNotFoundError:
        raise
    except OSError:  # another file system
        moved = copy_into(source, folder)
        try:
            source.unlink()
        except OSError:
            moved.unlink()
            raise
        return moved


def move_to(source: Path, target: Path) -> None:
    """Moves a file to this very path. Raises OSError, FileExistsError if there is a file; it is
    where it was then."""
    try:
        atomic_io.rename_new(source, target)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # another file system
        half = atomic_io.temp_path(target)
        try:
            archives.copy_file(source, half)
            atomic_io.rename_new(half, target)
        finally:
            half.unlink(missing_ok=True)
        try:
            source.unlink()
        except OSError:
            target.unlink()
            raise


def free_names(
    path: Path, taken: TakenNames | None = None, form: str = " ({number})"
) -> Iterator[Path]:
    """`path`, then the same with numbers of this `form`: "a.jpg", "a (2).jpg", "a (3).jpg", ...

    Whoever asks for the next name has found the one before to be taken: that is noted in `taken`,
    and the names that are noted there are left out.
    """
    taken = {} if taken is None else taken
    for number in count(taken.get(path, 0) + 1):
        added = form.format(number=number)
        yield path if number == 1 else path.with_name(f"{path.stem}{added}{path.suffix}")
        taken[path] = number


def without_number(name: str) -> str:
    """The name of a file without the number that `free_names` may have given it."""
    return _NUMBER.sub("", name)


def _rename_into(source: Path, wanted: Path, taken: TakenNames | None = None) -> Path:
    for target in free_names(wanted, taken):
        with suppress(FileExistsError):
            atomic_io.rename_new(source, target)
            break
    return target
