"""What may be asked on the command line: the commands and their options, made from Recipe's
settings."""

import argparse
import os
from pathlib import Path
from typing import Any, NoReturn

from flowergui import __version__
from flowergui.config.presets import PRESETS
from flowergui.config.recipe import GROUPS, RESUMABLE, SETTING, SETTINGS
from flowergui.config.setting import Setting, Value
from flowergui.errors import FlowerError


class _Parser(argparse.ArgumentParser):
    """Refuses as everything here does: in a sentence. The usage is a screen of its own."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:].rstrip(".")
        raise FlowerError(f"{sentence}.", hint=f"See {self.prog} --help.")


def parser() -> argparse.ArgumentParser:
    """The whole command line. `wishes.command` names the command; settings that were not given
    are not there."""
    whole = _Parser(
        prog="flowergui",
        allow_abbrev=False,
        description="Train image classifiers, and know what they see. Without a command the "
        "window opens; `flowergui FOLDER` opens it with a folder of photos.",
    )
    whole.add_argument("--version", action="version", version=f"flowergui {__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, says: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=says, description=says, allow_abbrev=False)
        added.add_argument(
            "--json", action="store_true", help="print every event as a line of JSON on stdout"
        )
        return added

    train = command("train", "Train a network on a folder of photos, one subfolder a class.")
    train.add_argument("folder", metavar="FOLDER", help="the folder of photos")
    train.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        default="recommended",
        help="values that go together, for the mode (default: %(default)s); "
        "an option that is given beats them",
    )
    _add_models_folder(train)
    for name in GROUPS:
        group = train.add_argument_group(name)
        for setting in SETTINGS:
            if setting.group == name:
                _add(group, setting, _default(setting))

    resume = command("resume", "Go on with a run where it stopped, or train it for longer.")
    resume.add_argument(
        "source",
        metavar="RUN_OR_CHECKPOINT",
        nargs="?",
        help="the folder of a run, a checkpoint in it, or a .pth file of weights alone "
        "(default: the newest run)",
    )
    resume.add_argument(
        "--photos",
        metavar="FOLDER",
        default=argparse.SUPPRESS,
        help="where the photos are now; weights alone do not know it",
    )
    _add_models_folder(resume)
    resume.add_argument(
        "--check",
        action="store_true",
        help="only say what has changed since, and what stands in the way",
    )
    since = resume.add_argument_group("What has come since")
    since.add_argument(
        "--new-photos",
        action="store_true",
        help="take in new photos of known classes; a part of them is held back",
    )
    since.add_argument(
        "--new-classes",
        action="store_true",
        help="learn new classes too: the head grows, and keeps what it knows",
    )
    since.add_argument(
        "--rename",
        metavar="OLD=NEW",
        type=_pair,
        action="append",
        default=[],
        help="the folder of class OLD is called NEW now",
    )
    since.add_argument(
        "--restart-schedule",
        action="store_true",
        help="begin the learning rate's schedule anew, for the epochs that are left",
    )
    changes = resume.add_argument_group("What may change")
    for name in (*RESUMABLE, "model"):  # the network where a checkpoint does not say it
        _add(changes, SETTING[name], "as before")

    predict = command("predict", "Say what photos show.")
    _add_checkpoint(predict)
    predict.add_argument("images", metavar="IMAGE", nargs="+", help="a photo")
    _add_device(predict)
    predict.add_argument(
        "--why",
        metavar="DIR",
        help="write a picture of each photo into DIR: bright is what speaks for the first guess",
    )

    evaluate = command(
        "evaluate", "Say how well a network does on photos that it has not learned from."
    )
    _add_checkpoint(evaluate)
    evaluate.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        help="a folder of photos, one subfolder a class (default: those that the run held back)",
    )
    _add_device(evaluate)
    evaluate.add_argument(
        "--csv", metavar="FILE", help="write what it says of each photo into FILE, as a table"
    )

    runs = command("runs", "List the runs, the newest first, or say in what some of them differ.")
    runs.add_argument(
        "runs",
        metavar="RUN",
        nargs="*",
        help="the folder of a run, or a checkpoint in it (default: all)",
    )
    runs.add_argument(
        "--csv", metavar="FILE", help="write what each came to, and its settings, as a table"
    )
    runs.add_argument(
        "--note", metavar="TEXT", help='write what you want to remember of RUN; "" takes it away'
    )
    _add_models_folder(runs)

    inspect = command("inspect", "Say what a folder of photos holds, and what is wrong with it.")
    inspect.add_argument("folder", metavar="FOLDER", help="the folder of photos")

    sample = command("sample", "Draw a small set of flowers to try the program with.")
    sample.add_argument("folder", metavar="DIR", help="an empty or a new folder")
    sample.add_argument(
        "--seed",
        metavar="N",
        type=_whole_number,
        default=0,
        help="the same number draws the same flowers (default: %(default)s)",
    )
    sample.add_argument(
        "--photos-per-class",
        metavar="N",
        type=_whole_number,
        default=80,
        help="how many of each kind (default: %(default)s)",
    )

    weights = command(
        "weights", "Save pretrained weights as a file among your models, for use offline."
    )
    weights.add_argument("model", metavar="NETWORK", help="the network, such as resnet50")
    weights.add_argument(
        "--weights",
        metavar="NAME",
        default="imagenet",
        help="which of its weights, such as IMAGENET1K_V1 (default: the best it has)",
    )
    _add_models_folder(weights)

    export = command("export", "Write a trained network as a file for other programs.")
    _add_checkpoint(export)
    export.add_argument(
        "out",
        metavar="OUT",
        help="what to write: NAME.safetensors, which predicts here too, NAME.pth, a state_dict, or "
        "NAME.onnx, for phones, browsers and programs without torch",
    )
    cache = command("cache", "Say what is kept of decoded photos, or clear it.")
    cache.add_argument("--clear", action="store_true", help="remove all of it")
    return whole


def _add_checkpoint(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "checkpoint", metavar="CHECKPOINT", help="a best.pth or last.pth, or the folder of a run"
    )


def _add_device(to: argparse.ArgumentParser) -> None:
    choices = tuple(choice.value for choice in SETTING["device"].choices)
    to.add_argument(
        "--device",
        choices=choices,
        default="",
        metavar="|".join(choices),
        help="where the network computes (default: as its training was asked to)",
    )


def _add_models_folder(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--models-folder",
        metavar="DIR",
        type=lambda text: Path(folder_of(text)),
        help="where runs are kept (default: FLOWERGUI_MODELS, or the program's own)",
    )


def _add(to: argparse._ArgumentGroup, setting: Setting, default: str) -> None:
    """The option of a setting; it leaves no trace in the wishes where it is not given."""

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
            help=f"the same as {option} off",
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
    facts = []
    if isinstance(setting.default, int | float) and not isinstance(setting.default, bool):
        unit = f" {setting.unit}" if setting.unit else ""
        facts.append(f"{setting.minimum:g} to {setting.maximum:g}{unit}")
        if setting.zero:
            facts.append(f"0: {setting.zero}")
    if setting.switched_on:
        facts.append(f"without a value: {setting.switched_on:g}")
    return f"{setting.help} ({'; '.join([*facts, f'default: {default}'])})"


def _default(setting: Setting) -> str:
    """What holds where a setting of `train` is not given: the recommended preset's values."""
    values = {
        mode: setting.written(chosen.get(setting.name, setting.default))
        for mode, chosen in PRESETS["recommended"].items()
    }
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return ", ".join(f"{value} for {mode}" for mode, value in values.items())


def _pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise FlowerError(f"{text!r} does not say what is called what: it must read OLD=NEW.")
    return old, new


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise FlowerError(f"{text!r} is no whole number.") from None


def folder_of(text: str) -> str:
    """The absolute path: a run must find its photos again from wherever it is resumed."""
    if not text:
        raise FlowerError("The name of the folder is empty.")
    return os.path.abspath(text)
