"""Spoils the files of a run in every way that is thought of, and uses the run by the commands."""

import io
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from traceback import format_exc
from typing import Any

import torch

from flowergui import tasks
from flowergui.cli import commands
from flowergui.cli.commands import REFUSED
from flowergui.config.recipe import Recipe
from flowergui.desktop.training.run_history import load_history
from flowergui.errors import FlowerError
from flowergui.events import BatchDone
from flowergui.learning.checkpoints import checkpoint
from flowergui.requests import LiveRequests
from flowergui.store.run_folder import RunFolder

DEEP: list[Any] = []
for _ in range(150):
    DEEP = [DEEP]

WRONG: Mapping[str, Any] = {
    "null": None,
    "true": True,
    "minus": -1,
    "huge": 10**400,
    "half": 0.5,
    "nan": float("nan"),
    "infinity": float("inf"),
    "word": "x",
    "empty": "",
    "nul": "a\0b",
    "long": "é" * 5_000,
    "surrogate": "\udcff\ud800",
    "list": [],
    "numbers": [1, 2, 3],
    "object": {},
    "other": {"x": "y"},
    "deep": DEEP,
}
"""Values that hardly any field may have, by their names."""

TENSORS: Mapping[str, Any] = {
    "scalar": torch.tensor(0.5),
    "short": torch.zeros(1),
    "complex": torch.zeros(2, dtype=torch.complex64),
    "sparse": torch.zeros(2, 2).to_sparse(),
    "half tensor": torch.zeros(3, dtype=torch.float16),
    "meta": torch.zeros(2, device="meta"),
    "nothing": torch.zeros(0),
}

RESCUES_PER_RESUME = 20
"""Of so many runs that can go on from previous.pth, one does: they are all the same."""

MOST_PER_DICT = 4
"""How many tensors of a state dict, or parameters of an optimizer, are spoilt: the first ones."""


@dataclass(frozen=True)
class Spoilt:
    """A way to spoil the `file` in a run's folder; `how` says what becomes of it."""

    file: str
    how: str
    spoil: Callable[[Path], object]

    @property
    def name(self) -> str:
        return f"{self.file} {self.how}"


# --- ways to spoil ------------------------------------------------------------------------------


def ways(run: Path) -> Iterator[Spoilt]:
    """All ways to spoil this run."""
    yield from checkpoint_fields(run / "last.pth")
    for name in ("last.pth", "best.pth", "recipe.json", "classes.json", "split.csv", "history.csv"):
        yield from bytes_of(run / name)
    yield from json_fields(run / "recipe.json")
    yield from json_fields(run / "classes.json")
    yield from json_lines(run / "changes.jsonl")
    yield from cells(run / "split.csv")
    yield from cells(run / "history.csv")


def checkpoint_fields(path: Path) -> Iterator[Spoilt]:
    """Each field of a checkpoint with each wrong value, and without it."""
    stored = checkpoint.read(path)
    for place in places(stored):
        tensors = TENSORS if isinstance(at(stored, place), torch.Tensor) else {}
        for name, value in (WRONG | tensors).items():
            yield _content(path, stored, place, name, value)
        yield Spoilt(path.name, f"without {dotted(place)}", _saving(path, stored, place))


def _content(path: Path, stored: Any, place: tuple[Any, ...], name: str, value: Any) -> Spoilt:
    return Spoilt(
        path.name,
        f"with {name} as {dotted(place)}",
        lambda folder: torch.save(replaced(stored, place, value), folder / path.name),
    )


def _saving(path: Path, stored: Any, place: tuple[Any, ...]) -> Callable[[Path], object]:
    return lambda folder: torch.save(without(stored, place), folder / path.name)


def dotted(place: tuple[Any, ...]) -> str:
    return ".".join(map(str, place)) or "all"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys of all fields within each other."""
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    else:
        return
    many = len(items) > 2 * MOST_PER_DICT and path and path[0] in ("model", "ema", "optimizer")
    for key, inner in items[: MOST_PER_DICT if many else None]:
        yield (*path, key)
        yield from places(inner, (*path, key))


def at(value: Any, place: tuple[Any, ...]) -> Any:
    """What is at a place in `value`."""
    return at(value[place[0]], place[1:]) if place else value


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """`value` with another one at a place in it."""
    if not place:
        return new
    key, *deeper = place
    changed = list(value) if isinstance(value, list | tuple) else dict(value)
    changed[key] = replaced(value[key], tuple(deeper), new)
    return changed


def without(value: Any, place: tuple[Any, ...]) -> Any:
    """`value` without what is at a place in it."""
    *above, key = place
    inner = at(value, tuple(above))
    left = list(inner) if isinstance(inner, list | tuple) else dict(inner)
    del left[key]
    return replaced(value, tuple(above), left)


def bytes_of(path: Path) -> Iterator[Spoilt]:
    """A file that was cut, overwritten, stored in another encoding, or that is none."""
    data = path.read_bytes()

    def becomes(name: str, content: bytes) -> Spoilt:
        return Spoilt(path.name, name, lambda folder: put(folder / path.name, content))

    for at in range(0, len(data), max(min(1_000, len(data) // 40), 1)):
        yield becomes(f"cut at byte {at}", data[:at])
        yield becomes(f"zeros at byte {at}", data[:at] + bytes(64) + data[at + 64 :])
        yield becomes(f"zeros from byte {at}", data[:at] + bytes(len(data) - at))
    yield becomes("with zeros at its end", data + bytes(300_000))
    yield becomes("with zeros before", bytes(300_000) + data)
    yield becomes("with a mark", b"\xef\xbb\xbf" + data)
    yield becomes("deep", b"[" * 200_000)
    yield becomes("of one line", b"," * 1_000_000)
    yield becomes("of quotes", b'"' * 300_001)
    yield becomes("a number", b"9" * 5_000)
    yield becomes("noise", bytes(range(256)) * 50)
    yield becomes("a web page", b"<!DOCTYPE html><html>404</html>")
    for code in ("utf-16", "utf-16-le", "utf-32"):
        yield becomes(f"as {code}", data.decode("latin-1").encode(code))
    yield Spoilt(path.name, "missing", lambda folder: (folder / path.name).unlink())
    yield Spoilt(path.name, "a folder", lambda folder: put(folder / path.name))
    yield Spoilt(path.name, "a pipe", lambda folder: pipe(folder / path.name))
    yield Spoilt(path.name, "a loop", lambda folder: loop(folder / path.name))
    yield Spoilt(path.name, "of 1 TB", lambda folder: os.truncate(folder / path.name, 1 << 40))


def put(path: Path, content: bytes | None = None) -> None:
    """Writes a file, or makes a folder in its place."""
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def json_fields(path: Path) -> Iterator[Spoilt]:
    """Each value in a JSON file with each wrong value, and without it."""
    stored = json.loads(path.read_text("utf-8"))
    for place in ((), *places(stored)):
        for name, value in WRONG.items():
            how = f"with {name} as {dotted(place)}"
            yield Spoilt(path.name, how, _json(path, stored, place, value))
        if place:
            text = json.dumps(without(stored, place))
            yield Spoilt(path.name, f"without {dotted(place)}", _text(path, text))


def _json(path: Path, stored: Any, place: tuple[Any, ...], value: Any) -> Callable[[Path], object]:
    return _text(path, json.dumps(replaced(stored, place, value)))


def _text(path: Path, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / path.name).write_text(text, "utf-8", "surrogatepass")


def json_lines(path: Path) -> Iterator[Spoilt]:
    """The same in a file of a JSON object a line."""
    lines = path.read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        stored = json.loads(line)
        for place in places(stored):
            for name, value in WRONG.items():
                new = [*lines]
                new[number] = json.dumps(replaced(stored, place, value))
                how = f"with {name} as {dotted(place)} in line {number}"
                yield Spoilt(path.name, how, _text(path, "\n".join(new)))


CELLS = ("", "x", "-1", "0.5", "nan", "inf", "1e999", "9" * 30, "9" * 5_000, '"', "a\0b", "é" * 300,
         "../../etc/passwd", "/", "٣", "\udcff", ";", "a,b", "x" * 200_000)  # fmt: skip


def cells(path: Path) -> Iterator[Spoilt]:
    """The header, the first row and the last one of a table with each wrong cell, and each column
    without it."""
    rows = [line.split(",") for line in path.read_text("utf-8").splitlines()]
    for at, column in enumerate(rows[0]):
        for number in (0, 1, len(rows) - 1):
            for cell in CELLS:
                new = deepcopy(rows)
                new[number][at] = cell
                how = f"with {cell[:20]!r} as {column} in row {number}"
                yield Spoilt(path.name, how, _text(path, _table(new)))
        left = [[cell for place, cell in enumerate(row) if place != at] for row in rows]
        yield Spoilt(path.name, f"without {column}", _text(path, _table(left)))
    yield Spoilt(path.name, "with semicolons", _text(path, _table(rows).replace(",", ";")))
    yield Spoilt(path.name, "with its header alone", _text(path, _table(rows[:1])))
    yield Spoilt(path.name, "without its header", _text(path, _table(rows[1:])))


def _table(rows: list[list[str]]) -> str:
    return "".join(",".join(row) + "\r\n" for row in rows)


# --- a run, and what is done with it ------------------------------------------------------------


def trained(recipe: Recipe, models: Path) -> Path:
    """The folder of a run that was stopped in its second epoch, with all files that a run may have:
    previous.pth is a batch older than last.pth."""
    live = LiveRequests()
    for event in tasks.train(recipe, live, models):
        if isinstance(event, BatchDone):
            live.learning_rate = 0.003 if event.step == 2 else None
            live.save, live.stop = event.step == 4, event.step == 5
    return RunFolder(Path(event.run)).path


class User:
    """Uses a run by the commands, and by what the window reads, in this process."""

    def __init__(self, run: Path, image: Path, home: Path) -> None:
        """`home` is an empty folder, and that of the models, FLOWERGUI_MODELS."""
        self._run, self._image, self._home = run, image, home
        self._problems: dict[str, str] = {}
        self.resumed, self.rescued = 0, 0
        """How often the run went on, and how often it could do so from previous.pth alone."""

    def uses(self, way: Spoilt) -> list[str]:
        """What went wrong, with tracebacks, when a copy of the run was spoilt and used."""
        run = self._home / self._run.name
        shutil.copytree(self._run, run)
        way.spoil(run)
        self._problems = {}
        try:
            self._reads(run, way.file)
            self._resumes(run)
            self._window_reads(run)
        finally:
            for left in self._home.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        return [f"{way.name}\n  {by}\n{what}" for by, what in self._problems.items()]

    def _reads(self, run: Path, file: str) -> None:
        """All that reads the file that was spoilt."""
        if file in ("last.pth", "best.pth"):
            code, _ = self._command("predict", str(run / file), str(self._image))
            if code == 0:
                self._command("export", str(run / file), str(self._home / "out.safetensors"))
            return
        self._command("predict", str(run), str(self._image), "--json")
        self._command("runs")
        self._command("runs", str(run), "--json")
        if file in ("recipe.json", "classes.json", "split.csv"):
            self._command("evaluate", str(run))

    def _resumes(self, run: Path) -> None:
        code, text = self._command("resume", "--check", str(run))
        rescued = "previous.pth, from epoch" in text
        self.rescued += rescued
        if code == 0 and (not rescued or self.rescued % RESCUES_PER_RESUME == 1):
            code, _ = self._command("resume")
            self.resumed += code == 0

    def _command(self, *words: str) -> tuple[int, str]:
        """Runs a command. Returns its exit code and what it said."""
        said, printed = io.StringIO(), io.StringIO()
        handlers, logging.root.handlers = logging.root.handlers, []
        try:
            with redirect_stdout(printed), redirect_stderr(said):
                code = commands.run(words)
        except Exception:
            code = -1
            said.write(format_exc())
        finally:
            logging.root.handlers = handlers
        text = said.getvalue()
        if "Traceback" in text or (code == REFUSED and not text.strip()):
            self._problems[" ".join(words)] = text or "refused without a sentence"
        return code, printed.getvalue()

    def _window_reads(self, run: Path) -> None:
        for task in (
            tasks.find_runs,
            lambda: tasks.find_run(str(run / "last.pth")),
            lambda: iter([load_history(tasks.history(run))]),
        ):
            try:
                list(task())
            except FlowerError:
                continue
            except Exception:
                self._problems["the window"] = format_exc()
