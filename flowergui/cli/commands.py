"""The command line: another face over the same tasks.

Exit codes: 0 all went well (a run that was stopped
and saved included), 1 something could not be done, 2 the input was refused, 130 interrupted.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any, cast

from flowergui import tasks
from flowergui.cli.console import Console, complain, prepare_streams
from flowergui.cli.options import folder_of, parser
from flowergui.config.presets import with_preset
from flowergui.config.recipe import SETTING, Recipe
from flowergui.config.setting import Value
from flowergui.errors import FlowerError
from flowergui.events import Event, PhotoEvaluated, RunListed
from flowergui.requests import LiveRequests, ResumeOptions
from flowergui.store import csv_export, library, paths

log = logging.getLogger(__name__)

REFUSED, INTERRUPTED = 2, 130


def run(argv: Sequence[str]) -> int:
    """Does what `argv` (without the program's name) asks, and returns the exit code."""
    prepare_streams()
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s: %(message)s")
    try:
        wishes, unknown = parser().parse_known_args(argv)
        if unknown:
            raise FlowerError(
                f"flowergui {wishes.command} does not understand {unknown[0]}.",
                hint=f"See flowergui {wishes.command} --help.",
            )
        code: int = COMMANDS[wishes.command](wishes)
        return code
    except FlowerError as error:
        complain(error)
        return REFUSED
    except SystemExit as leaving:  # argparse leaves so after --help and --version
        return leaving.code if isinstance(leaving.code, int) else REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _leave_stdout()
        return 1
    except Exception:
        log.exception("This is a defect of flowergui; please report it with the lines above.")
        return 1


def _leave_stdout() -> None:
    """Nobody reads stdout any more: Python's last flush of it must not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


# --- the commands -----------------------------------------------------------------------------


def _train(wishes: argparse.Namespace) -> int:
    recipe = _recipe(wishes)
    live = LiveRequests()
    return _run(wishes, live, lambda: tasks.train(recipe, live, wishes.models_folder))


def _resume(wishes: argparse.Namespace) -> int:
    changes: dict[str, Any] = _explicit(wishes)
    if "photos" in wishes:
        changes["photos"] = folder_of(wishes.photos)
    how = ResumeOptions(
        new_photos=wishes.new_photos,
        new_classes=wishes.new_classes,
        renamed=tuple(wishes.rename),
        restart_schedule=wishes.restart_schedule,
    )
    if wishes.check:
        return _report(
            wishes, tasks.check_resume(wishes.source, changes, wishes.models_folder, how)
        ).code
    live = LiveRequests()
    return _run(
        wishes, live, lambda: tasks.resume(wishes.source, live, changes, wishes.models_folder, how)
    )


def _predict(wishes: argparse.Namespace) -> int:
    out = folder_of(wishes.why) if wishes.why else None
    events = tasks.predict(
        wishes.checkpoint, wishes.images, why=out is not None, out=out, device=wishes.device
    )
    return _report(wishes, events).code


def _evaluate(wishes: argparse.Namespace) -> int:
    folder = folder_of(wishes.folder) if wishes.folder else None
    events = tasks.evaluate(wishes.checkpoint, folder, device=wishes.device)
    if not wishes.csv:
        return _report(wishes, events).code
    with csv_export.predictions_table(Path(wishes.csv)) as write:

        def kept() -> Iterator[Event]:
            for event in events:
                if isinstance(event, PhotoEvaluated):
                    write(event)
                yield event

        return _report(wishes, kept()).code


def _runs(wishes: argparse.Namespace) -> int:
    if wishes.note is not None:
        _write_note(wishes)
    events = list(tasks.compare(wishes.runs, wishes.models_folder))
    if not events:
        folder = wishes.models_folder or paths.models_folder()
        print(f"There is no run in {folder} yet.", file=sys.stderr)
    if wishes.csv:
        csv_export.write_runs(
            Path(wishes.csv), [each for each in events if isinstance(each, RunListed)]
        )
    return _report(wishes, (event for event in events)).code


def _write_note(wishes: argparse.Namespace) -> None:
    if len(wishes.runs) != 1:
        raise FlowerError("A note is for one run.", hint="Name it: runs RUN --note TEXT.")
    for event in tasks.compare(wishes.runs, wishes.models_folder):
        if isinstance(event, RunListed):
            library.write_note(event.run.path, wishes.note)


def _inspect(wishes: argparse.Namespace) -> int:
    return _report(wishes, tasks.inspect(folder_of(wishes.folder))).code


def _sample(wishes: argparse.Namespace) -> int:
    events = tasks.sample(
        folder_of(wishes.folder), seed=wishes.seed, photos_per_class=wishes.photos_per_class
    )
    return _report(wishes, events).code


def _weights(wishes: argparse.Namespace) -> int:
    return _report(
        wishes, tasks.save_weights(wishes.model, wishes.weights, wishes.models_folder)
    ).code


def _export(wishes: argparse.Namespace) -> int:
    return _report(wishes, tasks.export(wishes.checkpoint, wishes.out)).code


def _cache(wishes: argparse.Namespace) -> int:
    return _report(wishes, tasks.cached_photos(clear=wishes.clear)).code


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "train": _train,
    "resume": _resume,
    "predict": _predict,
    "evaluate": _evaluate,
    "runs": _runs,
    "inspect": _inspect,
    "sample": _sample,
    "weights": _weights,
    "export": _export,
    "cache": _cache,
}


def _report(wishes: argparse.Namespace, events: Iterator[Event]) -> Console:
    console = Console(
        as_json=wishes.json,
        terminal=sys.stderr.isatty(),
        everything=wishes.command == "inspect",
    )
    # Closed at once whatever happens here, so that a run saves even when stdout breaks.
    with closing(cast(Generator[Event, None, None], events)), closing(console):
        try:
            for event in events:
                console.report(event)
        except FlowerError as error:
            if not console.began:
                raise  # the input was refused
            console.close()
            console.broke_off = True
            complain(error)
    return console


def _run(wishes: argparse.Namespace, live: LiveRequests, job: Callable[[], Iterator[Event]]) -> int:
    with _stopping(live):
        console = _report(wishes, job())
    if live.stop and not console.began:
        print("Stopped before the run began; there is nothing to resume.", file=sys.stderr)
        return INTERRUPTED
    return console.code


@contextmanager
def _stopping(live: LiveRequests) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask the run to stop, and no more; a second Ctrl-C interrupts it."""

    def stop(number: int, frame: FrameType | None) -> None:
        if live.stop and number == signal.SIGINT:
            raise KeyboardInterrupt
        live.stop = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# --- from wishes to a recipe ------------------------------------------------------------------


def _explicit(wishes: argparse.Namespace) -> dict[str, Value]:
    """The settings that were given on the command line."""
    given = {name: value for name, value in vars(wishes).items() if name in SETTING}
    if "frozen" in given:
        given["frozen"] = tuple(chain.from_iterable(given["frozen"]))
    return given


def _recipe(wishes: argparse.Namespace) -> Recipe:
    explicit: dict[str, Any] = _explicit(wishes)
    if "weights" in explicit and explicit.setdefault("mode", "transfer") != "transfer":
        raise FlowerError(
            "Weights are what a transfer starts from.",
            hint="Leave --weights out, or ask for --mode transfer.",
        )
    recipe = Recipe(photos=folder_of(wishes.folder), mode=explicit.get("mode", "scratch"))
    recipe = replace(with_preset(recipe, wishes.preset), **explicit).checked()
    return recipe if "image_size" in explicit else _with_fitting_size(recipe)


def _with_fitting_size(recipe: Recipe) -> Recipe:
    """The recipe, with the network's own image size where it can't take the preset's."""
    try:
        list(tasks.describe_model(recipe.model, 2, recipe.image_size))
    except FlowerError:
        list(tasks.describe_model(recipe.model, 2))  # raises where the network itself is unknown
        print(
            f"{recipe.model} can't take images of {recipe.image_size} px; its own size is used.",
            file=sys.stderr,
        )
        return replace(recipe, image_size=0, training_size=0, first_training_size=0)
    return recipe
