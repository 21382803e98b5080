"""What was changed while a run trained, kept as changes.jsonl: an event a line, as JSON."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from flowergui.events import FrozenChanged, LearningRateChanged, RolledBack, TrainingSizeChanged
from flowergui.store import atomic_io
from flowergui.store.reading import DAMAGED, lines, open_text, reading
from flowergui.store.schema import first_wrong, record_of

Change = FrozenChanged | LearningRateChanged | TrainingSizeChanged | RolledBack

_KINDS: Final = {
    kind.__name__: kind
    for kind in (FrozenChanged, LearningRateChanged, TrainingSizeChanged, RolledBack)
}


class ChangeLog:
    """The changes of a run, in the order in which the run yielded them. Runs without any, and those
    of versions that kept none, have no file."""

    def __init__(self, path: Path) -> None:
        """`path` is the file. It need not exist."""
        self.path = path

    def append(self, changes: Iterable[Change]) -> None:
        """Adds a line for each change: all of them, or none if it raises OSError."""
        text = "".join(map(_line, changes))
        if not text:
            return
        before = self.path.stat().st_size if os.path.exists(self.path) else 0
        try:
            with self.path.open("ab") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                os.truncate(self.path, before)
            raise

    def cut_back(self, step: int) -> None:
        """Drops the changes after `step`: a run that was killed wrote them after its last
        checkpoint. Raises FlowerError if the file can't be written."""
        if os.path.exists(self.path):
            kept = [change for change in self.events() if change.step <= step]
            atomic_io.write(self.path, "".join(map(_line, kept)))

    def events(self) -> Iterator[Change]:
        """Reads the changes. Lines of later versions, and damaged ones, are skipped, and so is a
        change that a resumed run has made once more. Raises FlowerError if the file can't be
        opened."""
        before: Change | None = None
        try:
            with reading(self.path), open_text(self.path, errors="replace") as file:
                for line in lines(file):
                    try:
                        change = _change(json.loads(line))
                    except DAMAGED:
                        continue
                    if change != before:
                        yield change
                    before = change
        except FileNotFoundError:
            return


def _line(change: Change) -> str:
    return json.dumps({"event": type(change).__name__, **asdict(change)}) + "\n"


def _change(stored: Mapping[str, Any]) -> Change:
    kind = _KINDS[stored["event"]]
    values = {each.name: stored[each.name] for each in fields(kind) if each.name in stored}
    if first_wrong(values, record_of(kind)) is not None:
        raise TypeError(values)
    if isinstance(values.get("frozen"), list):
        values["frozen"] = tuple(values["frozen"])
    change: Change = kind(**values)
    return change
