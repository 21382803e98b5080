"""The parser of the command line: a function for each command. Options of settings are made from
their descriptions in Recipe."""

import argparse
import os
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NoReturn

from flowergui import __version__
from flowergui.cli.help_text import HelpFormatter
from flowergui.cli.shared_options import (
    add_checkpoint,
    add_device,
    add_models_folder,
    add_new_run,
    add_pretrained,
    add_setting,
    add_watched_run,
    count_from,
    integer,
    pair,
    probability,
)
from flowergui.config.recipe import RESUMABLE, SETTING
from flowergui.errors import FlowerError
from flowergui.facts import UNSURE_BELOW
from flowergui.store import archives
from flowergui.text import tr

AddParser = Callable[[str, str], argparse.ArgumentParser]
"""Adds the parser of a command, given its name and what it does."""


class _Parser(argparse.ArgumentParser):
    """Raises FlowerError instead of printing the usage, which fills a screen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=HelpFormatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise FlowerError(
            tr("The command line is not valid ({reason}).", reason=message),
            hint=tr("See {command} --help.", command=self.prog),
        )


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line.

    `command` in its result is the name of the command. Settings that are not given are not in the
    result. Parsing raises FlowerError if the command line is not valid.
    """
    whole = _Parser(
        prog="flowergui",
        description=tr(
            "Trains image classifiers and predicts with them. Without a command, the window "
            "opens; `flowergui FOLDER` opens it with a folder of images."
        ),
    )
    whole.add_argument(
        "--version",
        action="version",
        version=f"flowergui {__version__}",
        help=tr("show the version of the program and exit"),
    )
    commands = whole.add_subparsers(dest="command", metavar=tr("COMMAND"), required=True)

    def add(name: str, does: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=does, description=does)
        added.add_argument(
            "--json", action="store_true", help=tr("print every event as a line of JSON on stdout")
        )
        return added

    for add_command in (
        _add_train,
        _add_resume,
        _add_watch,
        _add_stop,
        _add_job,
        _add_predict,
        _add_unsort,
        _add_evaluate,
        _add_networks,
        _add_learning_curve,
        _add_runs,
        _add_inspect,
        _add_sample,
        _add_weights,
        _add_export,
        _add_cache,
    ):
        add_command(add)
    return whole


def parse(argv: list[str]) -> argparse.Namespace:
    """The arguments in `argv`, the program's name not included. Raises FlowerError if they are not
    valid, and SystemExit after --help and --version."""
    whole = parser()
    if (moved := _with_path_first(whole, argv)) is not None:
        return moved
    arguments, unknown = whole.parse_known_args(argv)
    if not unknown:
        return arguments
    command, word = f"flowergui {arguments.command}", unknown[0]
    known = _options(whole, arguments.command)
    if argv[0] == word:
        hint = tr("Options follow the command: {example}", example=f"{command} ... {word}")
    elif near := get_close_matches(word.partition("=")[0], known, n=1, cutoff=0.75):
        hint = tr("Did you mean {option}?", option=near[0])
    elif word.startswith("-"):
        hint = tr("See {command} --help.", command=command)
    else:
        hint = tr("Put quotation marks around a path with spaces.")
    raise FlowerError(
        tr("{command} does not understand {word}.", command=command, word=word), hint=hint
    )


def _with_path_first(whole: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace | None:
    """The arguments, with the folder or run among them moved to the front: argparse would take it
    for a value of the option before it (`train --frozen conv1 FOLDER`). None if there is none, or
    if another one stands where it belongs."""
    is_meant = {"train": archives.is_dataset, "resume": _is_run}.get(argv[0] if argv else "")
    for position in reversed(range(2, len(argv))):
        if is_meant is not None and is_meant(argv[position]):
            rest = argv[1:position] + argv[position + 1 :]
            try:
                arguments, unknown = whole.parse_known_args([argv[0], argv[position], *rest])
            except FlowerError:
                continue  # it is the value of another option
            if not unknown:
                return arguments
    return None


def _is_run(path: str) -> bool:
    """Whether this is a checkpoint, or the folder of a run."""
    return os.path.isfile(path) or os.path.isfile(os.path.join(path, "recipe.json"))


def _options(whole: argparse.ArgumentParser, command: str) -> list[str]:
    """All options of a command."""
    commands: Any = next(action for action in whole._actions if action.dest == "command")
    actions = commands.choices[command]._actions
    return [option for action in actions for option in action.option_strings]


# --- the commands -----------------------------------------------------------------------------


def _add_train(add: AddParser) -> None:
    train = add("train", tr("Train a network on a folder of images, one subfolder for each class."))
    train.add_argument(
        "folder", metavar="FOLDER", help=tr("the folder of images, or a .tar or .zip archive of it")
    )
    train.add_argument(
        "--split",
        metavar="FILE",
        help=tr(
            "a split.csv, as runs have it, that says which images are for training and which for "
            "validation; images that it does not name are split as usual"
        ),
    )
    add_models_folder(train)
    add_new_run(train)


def _add_job(add: AddParser) -> None:
    job = add(
        "job",
        tr(
            "Write a folder that trains a run on a cluster (SLURM or Kubernetes): its settings, "
            "its split, and the job scripts."
        ),
    )
    job.add_argument("out", metavar="OUT_FOLDER", help=tr("an empty or a new folder for the job"))
    job.add_argument("folder", metavar="FOLDER", help=tr("the folder of images, as it is here"))
    job.add_argument(
        "--images-there",
        metavar="DIR",
        help=tr("the folder of images on the cluster (default: named when the job is submitted)"),
    )
    for name, default, does in (
        ("nodes", 1, tr("machines (default: 1)")),
        ("gpus", 1, tr("GPUs of each machine; 0 trains on its CPU (default: 1)")),
        (
            "hours",
            8,
            tr("time limit of a SLURM job, in hours; it is requeued, and continues (default: 8)"),
        ),
    ):
        least = 0 if name == "gpus" else 1
        job.add_argument(
            f"--{name}", metavar="N", type=count_from(least), default=default, help=does
        )
    add_new_run(job)


def _add_resume(add: AddParser) -> None:
    resume = add("resume", tr("Continue a run where it stopped, or train it for more epochs."))
    resume.add_argument(
        "source",
        metavar="RUN_OR_CHECKPOINT",
        nargs="?",
        help=tr(
            "the folder of a run, a checkpoint in it, or a .pth file that has only weights "
            "(default: the newest run)"
        ),
    )
    resume.add_argument(
        "--photos",
        metavar="FOLDER",
        default=argparse.SUPPRESS,
        help=tr("where the images are now; required for a file that has only weights"),
    )
    add_models_folder(resume)
    resume.add_argument(
        "--check",
        action="store_true",
        help=tr("only report what has changed since, and what prevents resuming"),
    )
    since = resume.add_argument_group(tr("Changes of the dataset"))
    since.add_argument(
        "--new-photos",
        action="store_true",
        help=tr("add new images of known classes; a share of them is used for validation"),
    )
    since.add_argument(
        "--new-classes",
        action="store_true",
        help=tr("add outputs for new classes to the classifier; existing classes keep theirs"),
    )
    since.add_argument(
        "--rename",
        metavar=tr("OLD=NEW"),
        type=pair,
        action="append",
        default=[],
        help=tr("the folder of class OLD is now called NEW"),
    )
    since.add_argument(
        "--restart-schedule",
        action="store_true",
        help=tr("restart the learning-rate schedule for the remaining epochs"),
    )
    changes = resume.add_argument_group(tr("Settings that can be changed"))
    for name in (*RESUMABLE, "model"):  # the network, if the file does not name it
        add_setting(changes, SETTING[name], tr("as before"))


def _add_watch(add: AddParser) -> None:
    watch = add(
        "watch",
        tr("Print the epochs of a run that another process or machine trains, as they come."),
    )
    add_watched_run(watch)


def _add_stop(add: AddParser) -> None:
    stop = add(
        "stop",
        tr("Ask a run that another process or machine trains to save and stop."),
    )
    add_watched_run(stop)
    stop.add_argument(
        "--only-save", action="store_true", help=tr("ask it to save a checkpoint and go on")
    )


def _add_predict(add: AddParser) -> None:
    predict = add("predict", tr("Classify images."))
    add_checkpoint(predict)
    predict.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        help=tr("an image file, or a folder or an archive: all images in it and below"),
    )
    add_device(predict)
    predict.add_argument(
        "--csv", metavar="FILE", help=tr("write the prediction for each image as a table")
    )
    predict.add_argument(
        "--sort-into",
        metavar="DIR",
        help=tr(
            "copy the images into a folder for each predicted class in DIR; a table there lists "
            "the copies"
        ),
    )
    predict.add_argument(
        "--unsure",
        metavar="X",
        type=probability,
        default=UNSURE_BELOW,
        help=tr(
            "copy images whose prediction has a lower probability into the folder unsure (default: "
            "{probability})",
            probability=UNSURE_BELOW,
        ),
    )
    predict.add_argument(
        "--why",
        metavar="DIR",
        help=tr(
            "write a Grad-CAM picture of each image into DIR: bright is what speaks for the "
            "first prediction"
        ),
    )


def _add_unsort(add: AddParser) -> None:
    unsort = add(
        "unsort",
        tr("Remove the copies that `flowergui predict --sort-into` has made, unless they changed."),
    )
    unsort.add_argument("manifest", metavar="TABLE", help=tr("the table that lists the copies"))


def _add_evaluate(add: AddParser) -> None:
    evaluate = add(
        "evaluate",
        tr(
            "Evaluate a checkpoint on images that it was not trained on; or, with --folds, "
            "cross-validate a pretrained network on a folder of images."
        ),
    )
    evaluate.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help=tr(
            "a best.pth or last.pth, or the folder of a run; with --folds, a folder of images, one "
            "subfolder for each class"
        ),
    )
    evaluate.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        help=tr(
            "a folder of images, one subfolder for each class (default: the validation set of "
            "the run)"
        ),
    )
    add_device(evaluate)
    evaluate.add_argument(
        "--csv", metavar="FILE", help=tr("write the prediction of each image as a table")
    )
    evaluate.add_argument(
        "--folds",
        metavar="N",
        type=integer,
        default=0,
        help=tr(
            "the accuracy of a linear classifier on features of a pretrained network, on all "
            "images of a folder, each predicted by a classifier that has not seen its fold; N is "
            "often 5"
        ),
    )
    add_pretrained(evaluate)


def _add_networks(add: AddParser) -> None:
    networks = add(
        "networks",
        tr(
            "Compare the networks whose pretrained weights are on this machine: which of them "
            "suits a folder of images?"
        ),
    )
    networks.add_argument(
        "folder", metavar="FOLDER", help=tr("the folder of images, or a .tar or .zip archive of it")
    )
    networks.add_argument(
        "--photos-used",
        metavar="N",
        type=integer,
        default=300,
        help=tr("compare them on at most this many images, but two of each class (default: 300)"),
    )
    networks.add_argument(
        "--weights",
        metavar="FILE",
        action="append",
        default=[],
        help=tr("also compare the weights in this file; may be given several times"),
    )
    add_device(networks, tr("where the networks run (default: auto)"))


def _add_learning_curve(add: AddParser) -> None:
    curve = add(
        "learning-curve",
        tr("Estimate whether more images would raise the accuracy, and of which classes."),
    )
    curve.add_argument(
        "folder", metavar="FOLDER", help=tr("the folder of images, or a .tar or .zip archive of it")
    )
    add_pretrained(curve)
    add_device(curve, tr("where the network runs (default: auto)"))


def _add_runs(add: AddParser) -> None:
    runs = add("runs", tr("List the runs, the newest first, or compare the settings of some."))
    runs.add_argument(
        "runs",
        metavar="RUN",
        nargs="*",
        help=tr("the folder of a run, or a checkpoint in it (default: all runs)"),
    )
    runs.add_argument(
        "--csv", metavar="FILE", help=tr("write results and settings of the runs as a table")
    )
    runs.add_argument("--note", metavar="TEXT", help=tr('write a note on RUN; "" removes it'))
    add_models_folder(runs)


def _add_inspect(add: AddParser) -> None:
    inspect = add("inspect", tr("Show class counts and unreadable files of a folder of images."))
    inspect.add_argument(
        "folder", metavar="FOLDER", help=tr("the folder of images, or a .tar or .zip archive of it")
    )


def _add_sample(add: AddParser) -> None:
    sample = add("sample", tr("Draw a small dataset of flowers to try the program with."))
    sample.add_argument("folder", metavar="DIR", help=tr("an empty or a new folder"))
    sample.add_argument(
        "--seed",
        metavar="N",
        type=integer,
        default=0,
        help=tr("the same seed draws the same flowers (default: 0)"),
    )
    sample.add_argument(
        "--photos-per-class",
        metavar="N",
        type=integer,
        default=80,
        help=tr("the number of images of each class (default: 80)"),
    )


def _add_weights(add: AddParser) -> None:
    weights = add(
        "weights",
        tr(
            "List the pretrained weights of all networks, or save some as a file in the models "
            "folder, for use offline."
        ),
    )
    weights.add_argument(
        "model",
        metavar="NETWORK",
        nargs="?",
        help=tr("the network whose weights are saved, such as resnet50 (default: list all)"),
    )
    weights.add_argument(
        "--weights",
        metavar="NAME",
        default="imagenet",
        help=tr("which of its weights, such as IMAGENET1K_V1 (default: the best ones)"),
    )
    add_models_folder(weights)


def _add_export(add: AddParser) -> None:
    export = add("export", tr("Write a trained network as a file for other programs."))
    add_checkpoint(export)
    export.add_argument(
        "out",
        metavar="OUT",
        help=tr(
            "the file: NAME.safetensors, which predicts here too, NAME.pth, a state_dict, or "
            "NAME.onnx, for phones, browsers and programs without torch"
        ),
    )
    export.add_argument(
        "--with-classes",
        action="store_true",
        help=tr("keep classes and network in a .pth file too, so that it predicts here"),
    )
    export.add_argument(
        "--float16", action="store_true", help=tr("halve the size: the weights in float16")
    )


def _add_cache(add: AddParser) -> None:
    cache = add("cache", tr("Show the size of the image cache, or clear it."))
    cache.add_argument("--clear", action="store_true", help=tr("remove all decoded images"))
