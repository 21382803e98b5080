"""Names of classes as names of folders, on every system."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f]')
"""Characters that Windows, or any system, does not allow in a name."""

_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"}
)
"""Names in lower case that Windows keeps for devices, whatever ending they have.
Source: Microsoft, Naming Files, Paths, and Namespaces."""

MAX_NAME_BYTES: Final = 200
"""In UTF-8. Most file systems allow 255, and a number may follow."""


def folder_names(classes: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """A folder name for each of `classes`; none is in `reserved`, and no two are the same on a
    system that ignores case."""
    taken = {name.casefold() for name in reserved}
    names = {}
    for each in sorted(set(classes)):
        safe = name = _safe(each)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{safe} ({number})"
        taken.add(name.casefold())
        names[each] = name
    return names


def _safe(name: str) -> str:
    """The name without what a system refuses, or hides as it begins with a dot."""
    replaced = _UNSAFE.sub("_", unicodedata.normalize("NFC", name))
    shortened = replaced.encode("utf-8", "ignore")[:MAX_NAME_BYTES].decode("utf-8", "ignore")
    safe = shortened.strip(" .") or "_"
    return f"_{safe}" if safe.partition(".")[0].rstrip().casefold() in _DEVICES else safe
