"""Refused input ends with one sentence and exit code 2."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import PLAIN

from flowergui import tasks
from flowergui.__main__ import main
from flowergui.cli import commands
from flowergui.events import Event

REFUSED = {
    "missing folder": (["inspect", "nowhere"], "There is no folder"),
    "missing folder to train on": (["train", "nowhere", *PLAIN], "There is no folder"),
    "no name": (["train", "", *PLAIN], "The name of the folder is empty."),
    "no classes": (["inspect", "{flowers}/violet"], "no class subfolders"),
    "unknown network": (["train", "{flowers}", "--model", "resnet19"], "no network called"),
    "unknown optimizer": (["train", "{flowers}", "--optimizer", "adm"], "must be one of: adam"),
    "out of range": (["train", "{flowers}", "--epochs", "0"], "between 1 and 10,000"),
    "negative": (["train", "{flowers}", "--learning-rate", "-1"], "Learning rate must lie"),
    "not finite": (["train", "{flowers}", "--epochs", "inf"], "is not a number"),
    "no number": (["train", "{flowers}", "--batch-size", "many"], "is not a number"),
    "unknown option": (["train", "{flowers}", "--epoch", "3"], "--epoch. Did you mean --epochs?"),
    "option of another command": (["evaluate", "x.pth", "--epochs", "3"], "evaluate --help"),
    "option before the command": (["--json", "runs"], "flowergui runs ... --json"),
    "a path in two words": (["inspect", "my", "photos"], "Put quotation marks"),
    "option without a value": (["train", "{flowers}", "--epochs"], "--epochs: expected one"),
    "unknown preset": (["train", "{flowers}", "--preset", "best"], "--preset"),
    "nothing to train on": (["train"], "are required: FOLDER"),
    "nothing to resume": (["resume", "--models-folder", "nowhere"], "no run to resume"),
    "missing checkpoint": (["predict", "nowhere.pth", "a.jpg"], "There is no file"),
    "checkpoint of nothing": (["predict", "{flowers}/poppy/torn.jpg", "a.jpg"], "torn.jpg was"),
    "half a renaming": (["resume", "--rename", "rose"], "must read OLD=NEW"),
    "negative seed": (["sample", "new", "--seed", "-1"], "must not be negative"),
    "seed of letters": (["sample", "new", "--seed", "x"], "is not a whole number"),
    "typo": (["trian"], "The commands are train, resume"),
    "two folders": (["{flowers}", "{flowers}"], "opens one folder"),
    "empty word": ([""], "neither a folder nor a command"),
}


@pytest.mark.parametrize(("words", "says"), REFUSED.values(), ids=REFUSED)
def test_refused_input_ends_with_a_sentence(
    words: list[str],
    says: str,
    flowers: Path,
    empty: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(empty.parent)

    code = main([word.format(flowers=flowers) for word in words])

    printed = capsys.readouterr()
    assert code == 2
    assert says in printed.err
    assert printed.err.startswith("flowergui: ")
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    assert not empty.exists()


def test_a_given_size_that_the_network_refuses_is_an_error(
    flowers: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", str(flowers), "--model", "vit_b_16", "--image-size", "64", "--json"]

    assert commands.run(argv) == 2

    said = capsys.readouterr().err
    assert said == "flowergui: vit_b_16 can't take images of 64 px. Its own size is 224 px.\n"
    assert not empty.exists()


def test_a_defect_is_reported_as_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> Iterator[Event]:
        raise ZeroDivisionError

    monkeypatch.setattr(tasks, "inspect", broken)

    assert commands.run(["inspect", "photos"]) == 1

    assert "This is a defect of Flowergui" in caplog.text
    assert "ZeroDivisionError" in caplog.text
