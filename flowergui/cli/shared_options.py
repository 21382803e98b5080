"""Options that several commands have, and the values of options."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flowergui.config.presets import PRESETS
from flowergui.config.recipe import DEFAULT_MODELS, GROUPS, SETTING, SETTINGS
from flowergui.config.setting import Setting, Value
from flowergui.errors import FlowerError
from flowergui.text import grouped_number, number, tr


def add_new_run(to: argparse.ArgumentParser) -> None:
    """The settings of a new run, and where they come from."""
    to.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help=tr(
            "values that go together, for each mode; explicit options override them "
            "(default: recommended)"
        ),
    )
    to.add_argument(
        "--recipe",
        metavar="FILE",
        help=tr(
            "a recipe.json, as runs have it, instead of a preset; explicit options override its "
            "values"
        ),
    )
    for name in GROUPS:
        group = to.add_argument_group(tr(name))
        for setting in SETTINGS:
            if setting.group == name:
                add_setting(group, setting, _default(setting))


def add_checkpoint(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help=tr("a best.pth or last.pth, or the folder of a run"),
    )


def add_watched_run(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "run",
        metavar="RUN_FOLDER",
        help=tr("the folder of the run, or one with runs in it: the one that trains"),
    )


def add_pretrained(to: argparse.ArgumentParser) -> None:
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


def add_device(to: argparse.ArgumentParser, does: str = "") -> None:
    choices = tuple(choice.value for choice in SETTING["device"].choices)
    to.add_argument(
        "--device",
        choices=choices,
        default="",
        metavar="|".join(choices),
        help=does or tr("where the network runs (default: the device setting of its training)"),
    )


def add_models_folder(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--models-folder",
        metavar="DIR",
        type=lambda text: Path(absolute_folder(text)),
        help=tr("where runs are kept (default: FLOWERGUI_MODELS, or the program's own folder)"),
    )


def add_setting(to: argparse._ArgumentGroup, setting: Setting, default: str) -> None:
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


def pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not (old and sign and new):
        raise FlowerError(tr("A renamed class must read OLD=NEW, not {text}.", text=repr(text)))
    return old, new


def integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise FlowerError(tr("{text} is not a whole number.", text=repr(text))) from None


def count_from(least: int) -> Callable[[str], int]:
    """Reads a whole number that is not less than `least`."""

    def read(text: str) -> int:
        number = integer(text)
        if number < least:
            raise FlowerError(tr("{text} is less than {least}.", text=repr(text), least=least))
        return number

    return read


def probability(text: str) -> float:
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
