"""Networks compared, cross-validation and learning curves on the command line."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import events_of, kinds
from weight_files import saved

from flowergui.cli import commands
from flowergui.cli.console import Console
from flowergui.events import (
    LearningCurveEstimated,
    NetworkCompared,
    NetworkFailed,
    NetworksCompared,
)
from flowergui.facts import CurvePoint


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Random weights of mynet; red and blue pictures differ in any features."""
    path = tmp_path_factory.mktemp("weights") / "mynet.pth"
    saved("mynet", path, 96)
    return str(path)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without pretrained weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("flowergui.learning.models.efficientnet_lite.is_installed", lambda _: False)


@pytest.mark.usefixtures("alone")
def test_networks_are_listed_and_the_best_is_named(
    flowers: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = tmp_path / "torn.pth"
    torn.write_text("torn")
    words = ["networks", str(flowers), "--weights", weights, "--weights", str(torn)]
    assert commands.run([*words, "--photos-used", "12", "--device", "cpu"]) == 1  # for torn.pth
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert re.match("network +accuracy +95% interval +ms/image +MB +weights", lines[-3])
    row = r"mynet +\d+\.\d% +\d+\.\d% to 100\.0% +\d+\.\d +4\.\d +"
    assert re.fullmatch(row + re.escape(weights), lines[-2])
    assert lines[-1] == f"The most accurate on 12 images is mynet ({weights})."
    assert f"{torn} could not be compared: " in printed.err


@pytest.mark.usefixtures("alone")
def test_networks_as_json(flowers: Path, weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["networks", str(flowers), "--weights", weights, "--device", "cpu", "--json"]
    assert commands.run(words) == 0
    events = events_of(capsys.readouterr().out)
    assert kinds(events)[-2:] == ["NetworkCompared", "NetworksCompared"]
    assert events[-1]["networks"] == [
        {key: value for key, value in events[-2].items() if key != "event"}
    ]
    assert events[-2]["photos"] == 20
    assert events[-2]["accuracy"] > 0.9


@pytest.mark.usefixtures("alone")
def test_nothing_to_compare_is_refused(flowers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(["networks", str(flowers)]) == 2
    assert "No pretrained weights are on this machine." in capsys.readouterr().err


def test_a_folder_is_cross_validated(
    flowers: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    words = ["evaluate", str(flowers), "--folds", "4", "--weights", weights, "--csv", str(table)]
    assert commands.run([*words, "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    assert re.search(
        r"^Accuracy \d+\.\d% on 20 images \(95% interval \d+\.\d% to 100\.0%\), loss \d\.\d+\.$",
        printed.out,
        re.MULTILINE,
    )
    assert "features of mynet (mynet.pth), cross-validated in 4 folds." in printed.out
    for words in (("class", "images", "recall", "precision", "F1"), ("poppy", "10")):
        assert re.search("^" + " +".join(words), printed.out, re.MULTILINE), words
    assert "poppy/torn.jpg" in printed.err
    assert len(table.read_text("utf-8-sig").splitlines()) == 21


def test_a_cross_validation_as_json(
    flowers: Path, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(flowers), "--folds", "2", "--model", "mynet", "--weights", weights]
    assert commands.run([*words, "--json"]) == 0
    *others, last = events_of(capsys.readouterr().out)
    assert last["event"] == "CrossValidated"
    assert kinds(others).count("PhotoEvaluated") == last["photos"] == 20
    assert last["low"] <= last["accuracy"] <= last["high"]
    assert last["problems"] == []  # the scan has left torn.jpg out


def test_options_of_a_checkpoint_and_of_a_folder_are_not_mixed(
    flowers: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["evaluate", str(trained), "--model", "mynet"]) == 2
    assert "Add --folds 5" in capsys.readouterr().err
    assert commands.run(["evaluate", str(trained), str(flowers), "--folds", "5"]) == 2
    assert "--folds takes one folder of images" in capsys.readouterr().err


def test_a_folder_of_images_without_folds_says_what_to_add(
    flowers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["evaluate", str(flowers)]) == 2
    assert (
        f"{flowers} holds no run. For a folder of images, add --folds 5" in capsys.readouterr().err
    )


def test_a_learning_curve_as_json(
    flowers: Path, weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(["learning-curve", str(flowers), "--weights", weights, "--json"]) == 0
    last = events_of(capsys.readouterr().out)[-1]
    assert last["event"] == "LearningCurveEstimated"
    assert [each["photos"] for each in last["points"]] == [5, 10, 20]
    assert last["twice"]["photos"] == 40
    assert last["classes"] == ["poppy", "violet"]


def curve(now: float, twice: float, gain_low: float, *by_class: float) -> LearningCurveEstimated:
    """A learning curve up to the accuracy `now`, after which the classes gain `by_class`."""
    known = tuple(0.5 for _ in by_class)
    points = tuple(
        CurvePoint(photos, accuracy, accuracy - 0.1, 1.0, known)
        for photos, accuracy in ((25, now - 0.2), (50, now - 0.1), (100, now))
    )
    more = tuple(0.5 + gain for gain in by_class)
    return LearningCurveEstimated(
        folder="/photos",
        model="mynet",
        weights="w.pth",
        classes=("daisy", "rose")[: len(by_class)],
        points=points,
        twice=CurvePoint(200, twice, now, 1.0, more),
        gain_low=gain_low,
        gain_high=0.2,
        problems=(),
    )


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            curve(0.89, 0.91, 0.01, 0.05, 0.0),
            "Twice as many images would raise the accuracy from about 89% to 91%: daisy gains "
            "most.",
        ),
        (
            curve(0.89, 0.91, 0.01, 0.02, 0.02),
            "Twice as many images would raise the accuracy from about 89% to 91%.",
        ),
        (
            curve(1.0, 1.0, 0.01, 0.0, 0.0),
            "More images would hardly help: the accuracy would stay at about 100%.",
        ),
        (
            replace(curve(0.96, 0.965, 0.001, 0.01, 0.0), gain_high=0.015),
            "More images would hardly help: the accuracy would stay at about 96%.",
        ),
        (
            curve(0.8, 0.83, -0.01, 0.05, 0.0),
            "It is not clear whether more images would help: twice as many would change the "
            "accuracy of about 80% by −1 to +20 percentage points.",
        ),
    ],
)
def test_what_a_learning_curve_means(
    event: LearningCurveEstimated, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Console(as_json=False, terminal=False).report(event)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == sentence
    assert lines[1].split() == ["class", "25", "50", "100", "200"]
    assert lines[3].split()[0] == "daisy"


def test_the_text_of_a_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)
    first = NetworkCompared("mynet", "a.pth", 300, 0.5, 0.44, 0.56, 1.0, 96, 1.23, 4.7)
    second = NetworkCompared("resnet18", "V1", 300, 0.9, 0.86, 0.93, 0.3, 224, 20.06, 44.7)
    for event in (
        first,
        NetworkFailed("", "torn.pth", "torn.pth can't be read."),
        second,
        NetworksCompared("/photos", (second, first)),
    ):
        console.report(event)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "network               accuracy      95% interval  ms/image        MB  weights",
        "mynet                    50.0%    44.0% to 56.0%       1.2       4.7  a.pth",
        "resnet18                 90.0%    86.0% to 93.0%      20.1      44.7  V1",
        "The most accurate on 300 images is resnet18 (V1).",
    ]
    assert printed.err == "torn.pth could not be compared: torn.pth can't be read.\n"
    assert console.code == 1


def test_an_interrupt_ends_a_comparison(flowers: Path, weights: str) -> None:
    """As often as the weights are named: it would take minutes."""
    named = [word for _ in range(500) for word in ("--weights", weights)]
    process = subprocess.Popen(
        [sys.executable, "-m", "flowergui", "networks", str(flowers), *named, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if json.loads(line)["event"] == "NetworkCompared":
                break
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


def test_a_faster_network_within_the_interval_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    best = NetworkCompared("resnet50", "V1", 300, 0.9, 0.86, 0.93, 0.3, 224, 20.0, 94.0)
    near = NetworkCompared("resnet18", "V1", 300, 0.87, 0.83, 0.9, 0.4, 224, 8.0, 44.7)
    far = NetworkCompared("mynet", "V1", 300, 0.5, 0.44, 0.56, 1.0, 96, 1.0, 4.7)
    console = Console(as_json=False, terminal=False)
    console.report(NetworksCompared("/photos", (best, near, far)))
    console.report(NetworksCompared("/photos", (best, far)))
    console.report(NetworksCompared("/photos", ()))
    assert capsys.readouterr().out.splitlines() == [
        "The most accurate on 300 images is resnet50 (V1); resnet18 takes less time, and may be as "
        "accurate.",
        "The most accurate on 300 images is resnet50 (V1).",
    ]
