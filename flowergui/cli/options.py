"""The parser of the command line: a function for each command. Options of settings are made from
their descriptions in Recipe."""

import argparse
import os
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from flowergui import __version__
from flowergui.cli.help_text import HelpFormatter
from flowergui.config.presets import PRESETS
from flowergui.config.recipe import DEFAULT_MODELS, GROUPS, RESUMABLE, SETTING, SETTINGS
from flowergui.config.setting import Setting, Value
from flowergui.errors import FlowerError
from flowergui.facts import UNSURE_BELOW
from flowergui.store import archives
from flowergui.text import grouped_number, number, tr

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
        "--preset",
        choices=tuple(PRESETS),
        default="recommended",
        help=tr(
            "values that go together, for each mode; explicit options override them "
            "(default: recommended)"
        ),
    )
    _add_models_folder(train)
    for name in GROUPS:
        group = train.add_argument_group(tr(name))
        for setting in SETTINGS:
            if setting.group == name:
                _add_setting(group, setting, _default(setting))


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
    _add_models_folder(resume)
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
        type=_pair,
        action="append",
        default=[],
        help=tr("the folder of class OLD is now called NEW"),
    )
    since.add_argument(
        "--restart-schedule",
        action="store_true",
        help=tr("restart the learning-rate schedule for the remaining epochs"),
    )
    changes = resume.add_argument_group(tr("Settings that may change"))
    for name in (*RESUMABLE, "model"):  # the network, if the file does not name it
        _add_setting(changes, SETTING[name], tr("as before"))


def _add_predict(add: AddParser) -> None:
    predict = add("predict", tr("Classify images."))
    _add_checkpoint(predict)
    predict.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        help=tr("an image file, or a folder or an archive: all images in it and below"),
    )
    _add_device(predict)
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
        type=_probability,
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
    _add_device(evaluate)
    evaluate.add_argument(
        "--csv", metavar="FILE", help=tr("write the prediction of each image as a table")
    )
    evaluate.add_argument(
        "--folds",
        metavar="N",
        type=_integer,
        default=0,
        help=tr(
            "the accuracy of a linear classifier on features of a pretrained network, on all "
            "images of a folder, each predicted by a classifier that has not seen its fold; N is "
            "often 5"
        ),
    )
    _add_pretrained(evaluate)


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
        type=_integer,
        default=300,
        help=tr("compare them on up to so many of the images (default: 300)"),
    )
    networks.add_argument(
        "--weights",
        metavar="FILE",
        action="append",
        default=[],
        help=tr("also compare the weights in this file; may be given several times"),
    )
    _add_device(networks, tr("where the networks run (default: auto)"))


def _add_learning_curve(add: AddParser) -> None:
    curve = add(
        "learning-curve",
        tr("Estimate whether more images would raise the accuracy, and of which classes."),
    )
    curve.add_argument(
        "folder", metavar="FOLDER", help=tr("the folder of images, or a .tar or .zip archive of it")
    )
    _add_pretrained(curve)
    _add_device(curve, tr("where the network runs (default: auto)"))


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
    _add_models_folder(runs)


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
        type=_integer,
        default=0,
        help=tr("the same seed draws the same flowers (default: 0)"),
    )
    sample.add_argument(
        "--photos-per-class",
        metavar="N",
        type=_integer,
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
    _add_models_folder(weights)


def _add_export(add: AddParser) -> None:
    export = add("export", tr("Write a trained network as a file for other programs."))
    _add_checkpoint(export)
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


# --- options of several commands --------------------------------------------------------------


def _add_checkpoint(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help=tr("a best.pth or last.pth, or the folder of a run"),
    )


def _add_pretrained(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--model",
        metavar="NETWORK",
        default="",
        help=tr(
            "the pretrained network whose features are used (default: efficientnet_lite0, or that "
            "of the file of weights)"
        ),
    )
    to.add_argument(
        "--weights",
        metavar="NAME",
        default="imagenet",
        help=tr("its weights, as for a transfer: a name, or a file (default: imagenet)"),
    )


def _add_device(to: argparse.ArgumentParser, does: str = "") -> None:
    choices = tuple(choice.value for choice in SETTING["device"].choices)
    to.add_argument(
        "--device",
        choices=choices,
        default="",
        metavar="|".join(choices),
        help=does or tr("where the network runs (default: the device setting of its training)"),
    )


def _add_models_folder(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--models-folder",
        metavar="DIR",
        type=lambda text: Path(absolute_folder(text)),
        help=tr("where runs are kept (default: FLOWERGUI_MODELS, or the program's own folder)"),
    )


def _add_setting(to: argparse._ArgumentGroup, setting: Setting, default: str) -> None:
    """Adds the option of a setting. It is not in the result if it is not given."""

    def read(text: str) -> Value:
        value = setting.parse(text)
        if reason := setting.problem(value):
            raise FlowerError(reason)
        return value

    option = "--" + setting.name.replace("_", "-")
    more: dict[str, Any] = {}
    if isinstance(setting.default, bool):
        more = {"nargs": "?", "const": True}
    elif isinstance(setting.default, tuple):
        more = {"nargs": "*"}
    elif setting.switched_on:
        more = {"nargs": "?", "const": setting.switched_on}
    to.add_argument(
        option,
        dest=setting.name,
        type=read,
        metavar=_metavar(setting),
        default=argparse.SUPPRESS,
        help=_help(setting, default).replace("%", "%%"),
        **more,
    )
    if isinstance(setting.default, bool):
        to.add_argument(
            "--no-" + option[2:],
            dest=setting.name,
            action="store_false",
            default=argparse.SUPPRESS,
            help=tr("the same as {option} off", option=option),
        )


def _metavar(setting: Setting) -> str:
    if setting.choices:
        return "|".join(choice.value for choice in setting.choices)
    if isinstance(setting.default, bool):
        return "on|off"
    if isinstance(setting.default, int):
        return "N"
    return "X" if isinstance(setting.default, float) else "NAME"


def _help(setting: Setting, default: str) -> str:
    """The help of a setting, followed by its range and its default in parentheses."""
    facts = []
    if isinstance(setting.default, int | float) and not isinstance(setting.default, bool):
        span = tr(
            "{minimum} to {maximum} {unit}",
            minimum=grouped_number(setting.minimum),
            maximum=grouped_number(setting.maximum),
            unit=tr(setting.unit) if setting.unit else "",
        )
        facts.append(span.rstrip())
        if setting.zero:
            facts.append(tr("0 is {meaning}", meaning=tr(setting.zero)))
    if setting.switched_on:
        facts.append(tr("without a value: {value}", value=number(setting.switched_on)))
    facts.append(tr("default: {value}", value=default))
    return tr("{help} ({facts})", help=tr(setting.help), facts=tr("; ").join(facts))


def _default(setting: Setting) -> str:
    """The default of `train`: what the recommended preset has for each mode."""
    if setting.name == "mode":
        return tr("transfer, or scratch for a network without pretrained weights")
    values = {
        mode: setting.written(
            {"model": DEFAULT_MODELS[mode], **chosen}.get(setting.name, setting.default)
        )
        for mode, chosen in PRESETS["recommended"].items()
    }
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return tr(
        "{scratch} for scratch, {transfer} for transfer",
        scratch=values["scratch"],
        transfer=values["transfer"],
    )


# --- values -----------------------------------------------------------------------------------


def _pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise FlowerError(tr("A renamed class must read OLD=NEW, not {text}.", text=repr(text)))
    return old, new


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise FlowerError(tr("{text} is not a whole number.", text=repr(text))) from None


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise FlowerError(tr("{text} is not a number from 0 to 1.", text=repr(text)))
    return value


def absolute_folder(text: str) -> str:
    """The absolute path of a folder: a run must find its images wherever it is resumed from.
    Raises FlowerError if `text` is empty."""
    if not text:
        raise FlowerError(tr("The name of the folder is empty."))
    return os.path.abspath(text)
