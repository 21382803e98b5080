"""Archives of images as dataset folders: one .tar or .zip file, or a folder of them (shards)."""

import os
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from flowergui.facts import Problem
from flowergui.learning.data.archives.merged_folders import MergedFolders
from flowergui.learning.data.class_folders import FolderLister, join
from flowergui.learning.data.layout import split_name
from flowergui.store import archives
from flowergui.store.archive_formats.index import ArchiveIndex, compressed
from flowergui.store.archive_formats.members import ArchiveError, Omitted
from flowergui.text import trn


@dataclass(slots=True)
class ArchivesListed:
    """The archives of a dataset: their `paths` from its folder on, "" if it is one itself. `closed`
    are those that can't be read, or not to their end; `odd` is what is left out in others; `notes`
    are sentences on how they were understood."""

    paths: list[str] = field(default_factory=list)
    closed: list[Problem] = field(default_factory=list)
    odd: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def list_archives(lister: FolderLister, every: int) -> Generator[int, None, ArchivesListed]:
    """If the folder `lister.top` is an archive, or holds archives and no images, `lister` shows the
    folders in them from now on. Yields the number of files so far, about each time there are
    `every` more.

    Raises FlowerError if the dataset is one archive that can't be read.
    """
    listed = ArchivesListed(_archives_in(lister))
    if not listed.paths:
        return listed
    indexes: dict[str, ArchiveIndex] = {}
    count = reported = 0
    for path in listed.paths:
        lister.waits_for = lister.path(path)
        steps = archives.open_archive(lister.waits_for)
        try:
            while True:
                yield count + next(steps)
        except StopIteration as end:
            indexes[path] = end.value.index
        except ArchiveError as error:
            if not path:
                raise
            listed.closed.append(Problem(path, error.reason))
            continue
        count += len(indexes[path])
        if count - reported >= every:
            reported = count
            yield count
        _add_omitted(listed, path or Path(lister.top).name, indexes[path])
    merged = MergedFolders(lister)
    for path in merged.add(indexes):
        lister.waits_for = lister.path(path)
        yield count
    lister.show(merged.listings)
    listed.odd += merged.problems
    if "" not in indexes:
        listed.notes.append(
            trn(
                "The images are in {count} archive.",
                "The images are in {count} archives.",
                len(indexes),
            )
        )
    listed.notes += merged.notes
    return listed


def _archives_in(lister: FolderLister) -> list[str]:
    """The archives that a folder stands for; none if there are images in it. Raises FlowerError if
    it holds no other ones than such that are compressed as a whole."""
    top = lister.top
    if archives.has_archive_name(top) or archives.why_compressed(top):
        return [""] if os.path.isfile(top) else []
    listing = lister.listing("")
    files = list(listing.others)
    for folder in filter(split_name, listing.folders):
        files += (join(folder, name) for name in lister.listing(folder).others)
    found = sorted(filter(archives.has_archive_name, files))
    packed = sorted(filter(archives.why_compressed, files))
    if not (found or packed) or lister.has_images(""):
        return []
    if not found:
        raise compressed(lister.path(packed[0]), archives.why_compressed(packed[0]))
    return [*found, *packed]


def _add_omitted(listed: ArchivesListed, path: str, index: ArchiveIndex) -> None:
    for why, (count, name) in index.omitted.items():
        if why in (Omitted.CUT_OFF, Omitted.DAMAGED):
            listed.closed.append(Problem(path, why.reason(), count))
        else:
            listed.odd.append(Problem(join(path, name) if name else path, why.reason(), count))
