"""The commands: each starts a task and prints its events.

Exit codes: 0 for success (a run that was stopped and saved included), 1 if something could not be
done, 2 if the input was refused, 130 if it was interrupted.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

from flowergui import tasks
from flowergui.cli.console import Console, OutputError, complain, flush, prepare_streams, say
from flowergui.cli.options import parse
from flowergui.cli.recipe_options import explicit_settings, recipe_of
from flowergui.cli.shared_options import absolute_folder
from flowergui.errors import FlowerError
from flowergui.events import (
    Event,
    ModelsListed,
    PhotoEvaluated,
    Predicted,
    PredictionFailed,
    RunListed,
)
from flowergui.requests import ExportOptions, JobOptions, LiveRequests, ResumeOptions, RunRequest
from flowergui.store import archives, csv_export, library, paths
from flowergui.store.run_folder import RunFolder
from flowergui.store.sorted_copies import check_destination
from flowergui.system import torchrun
from flowergui.system.end_signals import end_signals
from flowergui.text import tr

log = logging.getLogger(__name__)

REFUSED, INTERRUPTED = 2, 130


def run(argv: Sequence[str]) -> int:
    """Runs the command in `argv`, the program's name not included, and returns the exit code."""
    prepare_streams()
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s: %(message)s")
    try:
        code = _outcome(argv)
        flush()
    except OutputError as error:
        if not error.broken_pipe:
            say(tr("flowergui: {error} Send it to another place.", error=error), sys.stderr)
        return 1
    return code


def _outcome(argv: Sequence[str]) -> int:
    try:
        args = parse(list(argv))
        code: int = COMMANDS[args.command](args)
        return code
    except FlowerError as error:
        if torchrun.is_main_process():  # others have the same error, or one that follows from it
            complain(error)
        torchrun.record_error(error)
        return REFUSED
    except SystemExit as leaving:  # raised by argparse after --help and --version
        return leaving.code if isinstance(leaving.code, int) else REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OutputError:
        raise
    except Exception as error:
        torchrun.record_error(error)
        log.exception("This is a defect of Flowergui; please report it with the lines above.")
        return 1


# --- the commands -----------------------------------------------------------------------------


def _train(args: argparse.Namespace) -> int:
    recipe, split = recipe_of(args), Path(args.split) if args.split else None
    live = LiveRequests()
    return _run(args, live, lambda: tasks.train(recipe, live, args.models_folder, split))


def _job(args: argparse.Namespace) -> int:
    photos = args.images_there or ""
    options = JobOptions(nodes=args.nodes, gpus=args.gpus, hours=args.hours, photos=photos)
    return _report(args, tasks.write_job(recipe_of(args), absolute_folder(args.out), options)).code


def _resume(args: argparse.Namespace) -> int:
    changes: dict[str, Any] = explicit_settings(args)
    if "photos" in args:
        changes["photos"] = absolute_folder(args.photos)
    options = ResumeOptions(
        new_photos=args.new_photos,
        new_classes=args.new_classes,
        renamed=tuple(args.rename),
        restart_schedule=args.restart_schedule,
    )
    if args.check:
        return _report(
            args, tasks.check_resume(args.source, changes, args.models_folder, options)
        ).code
    live = LiveRequests()
    return _run(
        args,
        live,
        lambda: tasks.resume(args.source, live, changes, args.models_folder, options),
    )


def _watch(args: argparse.Namespace) -> int:
    return _report(args, tasks.watch(absolute_folder(args.run))).code


def _stop(args: argparse.Namespace) -> int:
    request = RunRequest(save=True) if args.only_save else RunRequest(stop=True)
    return _report(args, tasks.ask(absolute_folder(args.run), request)).code


def _predict(args: argparse.Namespace) -> int:
    out = absolute_folder(args.why) if args.why else None
    events = tasks.predict(
        args.checkpoint,
        args.images,
        why=out is not None,
        out=out,
        device=args.device,
    )
    predictions: list[Predicted] = []
    with ExitStack() as stack:
        if args.csv:
            write = stack.enter_context(csv_export.photos_table(Path(args.csv)))
            events = _written(events, write, (Predicted, PredictionFailed))
        if args.sort_into:
            check_destination(Path(absolute_folder(args.sort_into)))
            events = _written(events, predictions.append, (Predicted,))
        code = _report(args, events).code
    return _sort(args, predictions, code) if args.sort_into else code


def _sort(args: argparse.Namespace, predictions: Sequence[Predicted], code: int) -> int:
    """Copies the images by their predictions, which are told and written by now, with this exit
    code. Ctrl-C stops that after an image."""
    live = LiveRequests()
    destination = Path(absolute_folder(args.sort_into))
    copies = tasks.sort_into_folders(predictions, destination, unsure_below=args.unsure, live=live)
    with _stopping(live):
        try:
            code = max(code, _report(args, copies).code)
        except FlowerError as error:
            complain(error)
            code = 1
    return INTERRUPTED if live.stop else code


def _written(
    events: Iterator[Event], write: Callable[[Any], None], kinds: tuple[type[Event], ...]
) -> Iterator[Event]:
    """The events; those of these kinds are also written into a table, or a list."""
    for event in events:
        if isinstance(event, kinds):
            write(event)
        yield event


def _unsort(args: argparse.Namespace) -> int:
    return _report(args, tasks.remove_copies(args.manifest)).code


def _evaluate(args: argparse.Namespace) -> int:
    events = _evaluation(args)
    if not args.csv:
        return _report(args, events).code
    with csv_export.predictions_table(Path(args.csv)) as write:
        return _report(args, _written(events, write, (PhotoEvaluated,))).code


def _evaluation(args: argparse.Namespace) -> Iterator[Event]:
    """The task of `evaluate`: that of a checkpoint, or with --folds that of a folder of images.
    Raises FlowerError if options of both are mixed."""
    if not args.folds:
        if args.model or args.weights != "imagenet":
            raise FlowerError(
                tr("A checkpoint has its own network and weights."),
                hint=tr("Add --folds 5 to evaluate a pretrained network on a folder of images."),
            )
        _refuse_images(Path(args.checkpoint))
        folder = absolute_folder(args.folder) if args.folder else None
        return tasks.evaluate(args.checkpoint, folder, device=args.device)
    if args.folder:
        raise FlowerError(
            tr("--folds takes one folder of images, and no second one."),
            hint=tr("Name a file of weights by --weights FILE."),
        )
    images = absolute_folder(args.checkpoint)
    device = args.device or "auto"
    return tasks.cross_validate(images, args.model, args.weights, folds=args.folds, device=device)


def _refuse_images(source: Path) -> None:
    """Raises FlowerError if this is a folder, but neither a run nor one with its checkpoints."""
    run = RunFolder(source)
    checkpoints = (run.best, run.last, run.previous)
    if (
        archives.is_dataset(source)
        and not run.exists()
        and not any(os.path.isfile(each) for each in checkpoints)
    ):
        raise FlowerError(
            tr("{folder} holds no run.", folder=source),
            hint=tr("For a folder of images, add --folds 5: it cross-validates a network on them."),
        )


def _networks(args: argparse.Namespace) -> int:
    events = tasks.compare_networks(
        absolute_folder(args.folder),
        args.weights,
        photos_used=args.photos_used,
        device=args.device or "auto",
    )
    return _report(args, events).code


def _learning_curve(args: argparse.Namespace) -> int:
    folder, device = absolute_folder(args.folder), args.device or "auto"
    return _report(args, tasks.learning_curve(folder, args.model, args.weights, device=device)).code


def _runs(args: argparse.Namespace) -> int:
    if args.note is not None:
        _write_note(args)
    events = list(tasks.compare(args.runs, args.models_folder))
    if not events:
        folder = args.models_folder or paths.models_folder()
        say(tr("There is no run in {folder} yet.", folder=folder), sys.stderr)
    if args.csv:
        csv_export.write_runs(
            Path(args.csv), [each for each in events if isinstance(each, RunListed)]
        )
    return _report(args, (event for event in events)).code


def _write_note(args: argparse.Namespace) -> None:
    if len(args.runs) != 1:
        raise FlowerError(
            tr("A note can be written on one run only."),
            hint=tr("Name the run: flowergui runs RUN --note TEXT."),
        )
    for event in tasks.compare(args.runs, args.models_folder):
        if isinstance(event, RunListed):
            library.write_note(event.run.path, args.note)


def _inspect(args: argparse.Namespace) -> int:
    return _report(args, tasks.inspect(absolute_folder(args.folder))).code


def _sample(args: argparse.Namespace) -> int:
    events = tasks.sample(
        absolute_folder(args.folder),
        seed=args.seed,
        photos_per_class=args.photos_per_class,
    )
    return _report(args, events).code


def _weights(args: argparse.Namespace) -> int:
    if args.model is None:
        listed = tasks.list_models(args.models_folder)
        return _report(args, (each for each in listed if isinstance(each, ModelsListed))).code
    return _report(args, tasks.save_weights(args.model, args.weights, args.models_folder)).code


def _export(args: argparse.Namespace) -> int:
    options = ExportOptions(with_classes=args.with_classes, float16=args.float16)
    return _report(args, tasks.export(args.checkpoint, args.out, options)).code


def _cache(args: argparse.Namespace) -> int:
    return _report(args, tasks.cached_photos(clear=args.clear)).code


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "train": _train,
    "resume": _resume,
    "watch": _watch,
    "stop": _stop,
    "job": _job,
    "predict": _predict,
    "unsort": _unsort,
    "evaluate": _evaluate,
    "networks": _networks,
    "learning-curve": _learning_curve,
    "runs": _runs,
    "inspect": _inspect,
    "sample": _sample,
    "weights": _weights,
    "export": _export,
    "cache": _cache,
}


def _report(args: argparse.Namespace, events: Iterator[Event], *, goes_on: bool = False) -> Console:
    """Prints the events. With `goes_on`, a run does so where its output can't be written, unless
    the program that read it has ended."""
    console = Console(
        as_json=args.json,
        terminal=sys.stderr.isatty(),
        everything=args.command == "inspect",
    )
    # Closed whatever happens, so that a run is saved even if stdout is closed.
    with closing(cast(Generator[Event, None, None], events)), closing(console):
        try:
            for event in events:
                try:
                    console.report(event)
                except OutputError as error:
                    if error.broken_pipe or not goes_on:
                        raise
                    console.unwritten = True
                    say(tr("flowergui: {error} The run goes on.", error=error), sys.stderr)
        except FlowerError as error:
            if not console.began:
                raise  # the input was refused
            console.close()
            console.broke_off = True
            if torchrun.is_main_process():
                complain(error)
    return console


def _run(args: argparse.Namespace, live: LiveRequests, job: Callable[[], Iterator[Event]]) -> int:
    with _stopping(live):
        console = _report(args, job(), goes_on=True)
    if live.stop and not console.began and torchrun.is_main_process():
        say(tr("Stopped before the run began; there is nothing to resume."), sys.stderr)
        return INTERRUPTED
    return console.code


@contextmanager
def _stopping(live: LiveRequests) -> Iterator[None]:
    """Ctrl-C, SIGTERM and the like ask the run to stop and save; a second Ctrl-C interrupts it."""

    def stop(number: int, frame: FrameType | None) -> None:
        if live.stop and number == signal.SIGINT:
            raise KeyboardInterrupt
        live.stop = True

    before = {number: signal.signal(number, stop) for number in end_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
