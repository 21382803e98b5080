"""Predictions, evaluations and exports on the command line."""

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import events_of, only_run

from flowergui.cli import commands
from flowergui.cli.console import Console
from flowergui.events import Evaluated, PhotoEvaluated, PredictionFailed
from flowergui.facts import ClassScore, Confusion, Problem
from flowergui.store.run_folder import RunFolder


def test_predict_prints_json(
    flowers: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = str(flowers / "violet" / "0.png")

    code = commands.run(["predict", str(only_run(trained) / "best.pth"), photo, photo, "--json"])

    assert code == 0
    first, second = events_of(capsys.readouterr().out)
    assert first == second
    assert first["path"] == photo
    probabilities = [guess["probability"] for guess in first["predictions"]]
    assert sorted(guess["class"] for guess in first["predictions"]) == ["poppy", "violet"]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)


def test_predict_prints_a_table_and_names_unreadable_images(
    flowers: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, torn = flowers / "poppy" / "0.png", flowers / "poppy" / "torn.jpg"

    assert commands.run(["predict", str(only_run(trained)), str(torn), str(good)]) == 1

    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == str(good)
    assert len(lines) == 3
    assert all(line.startswith("  ") and "% " in line + " " for line in lines[1:])
    assert "torn.jpg can't be read" in printed.err


def test_evaluate_prints_scores_and_errors(
    flowers: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    held = [row for row in RunFolder(only_run(trained)).split() if row[2] == "validation"]

    assert commands.run(["evaluate", str(only_run(trained)), "--csv", str(table)]) == 0

    text = capsys.readouterr().out
    assert f" on {len(held)} images (95% interval " in text.splitlines()[0]
    assert f"images in {flowers} were not used for training." in text
    for words in (("class", "images", "recall", "precision", "F1"), ("poppy", "2")):
        assert re.search("^" + " +".join(words), text, re.MULTILINE), words
    assert len(table.read_text("utf-8-sig").splitlines()) == 1 + len(held)


def test_evaluate_prints_each_image_as_json(
    flowers: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = str(only_run(trained) / "best.pth")
    assert commands.run(["evaluate", best, str(flowers), "--json"]) == 1  # for torn.jpg
    *others, last = events_of(capsys.readouterr().out)
    assert [problem["path"] for problem in last["problems"]] == ["poppy/torn.jpg"]
    judged = [event for event in others if event["event"] == "PhotoEvaluated"]
    assert last["event"] == "Evaluated"
    assert last["photos"] == len(judged) == 4
    assert last["trained_on"] == 16
    assert last["accuracy"] == sum(each["label"] == each["predicted"] for each in judged) / 4
    assert {"name", "recall", "precision", "f1"} <= set(last["classes"][0])


def test_a_table_that_cannot_be_written_is_refused_before_the_evaluation(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", str(only_run(trained)), "--csv", str(tmp_path / "none" / "t.csv")]
    assert commands.run(words) == 2
    printed = capsys.readouterr()
    assert "t.csv can't be written" in printed.err
    assert not printed.out


def test_a_refused_evaluation_leaves_the_old_table(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("my table")
    assert commands.run(["evaluate", str(tmp_path / "typo.pth"), "--csv", str(table)]) == 2
    assert "There is no file" in capsys.readouterr().err
    assert table.read_text() == "my table"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_an_unreadable_image_sets_the_exit_code(
    flowers: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tmp_path / "others"
    shutil.copytree(flowers / "violet", others / "violet")
    (others / "violet" / "torn.jpg").write_text("no picture")
    lone = shutil.copy(only_run(trained) / "best.pth", tmp_path / "lone.pth")
    assert commands.run(["evaluate", str(lone), str(others)]) == 1
    printed = capsys.readouterr()
    assert "The training set is unknown" in printed.out
    assert "violet/torn.jpg: " in printed.err


def evaluated(*scores: ClassScore) -> Evaluated:
    return Evaluated("best.pth", 3, "/p", 4, 0.75, None, 0.5, scores, (), (), (), 0, ())


def test_of_many_classes_those_with_the_lowest_recall_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scores = [ClassScore(f"c{n}", 10, n, 10, n / 200, 1.0, 1.0) for n in range(150)]
    unseen = ClassScore("unseen", 0, 0, 0, None, None, None)
    Console(as_json=False, terminal=False).report(evaluated(unseen, *reversed(scores)))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[4:]] == [*(f"c{n}" for n in range(100)), "and"]
    assert lines[-1].startswith("and 51 more classes with a higher recall")


def test_control_characters_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(as_json=False, terminal=False)
    console.report(evaluated(ClassScore("ro\x1b[2Jse\x9b", 4, 3, 3, 0.75, 1.0, 6 / 7)))
    console.report(PredictionFailed("a.jpg", "\x07a.jpg is no picture."))
    printed = capsys.readouterr()
    assert r"ro\x1b[2Jse\x9b " in printed.out
    assert printed.err == "\\x07a.jpg is no picture.\n"


def test_the_text_of_an_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    mistake = PhotoEvaluated("/photos/rose/1.jpg", "rose", "tulip", 0.914, 0.05)
    scores = (
        ClassScore("rose", 4, 3, 3, 0.75, 1.0, 6 / 7),
        ClassScore("tulip", 0, 0, 1, None, 0.0, 0.0),
    )
    Console(as_json=False, terminal=False).report(
        Evaluated(
            checkpoint="best.pth",
            epoch=3,
            folder="/photos",
            photos=4,
            accuracy=0.75,
            top5=0.9,
            loss=0.5,
            classes=scores,
            confusions=(Confusion("rose", "tulip", 1),),
            most_confident_errors=(mistake,),
            problems=tuple(Problem(f"rose/{n}.jpg", "torn") for n in range(7)),
            trained_on=16,
            unknown_classes=("oak",),
        )
    )
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "Accuracy 75.0% on 4 images (95% interval 30.1% to 95.4%), top-5 accuracy 90.0%, loss "
        "0.500.",
        "The evaluated images in /photos were not used for training.",
        "Skipped 16 images that were used for training.",
        "Skipped classes that the network does not know: oak.",
        "",
        "class   images    recall  precision        F1",
        "rose         4     75.0%     100.0%     85.7%",
        "tulip        0         -       0.0%      0.0%",
        "",
        "Most frequent confusions:",
        "  rose predicted as tulip: 1 image",
        "",
        "Most confident errors:",
        "  /photos/rose/1.jpg: predicted tulip (91.4%), actual rose (5.0%)",
    ]
    assert printed.err.splitlines()[:2] == ["7 problems:", "  rose/0.jpg: torn"]
    assert printed.err.splitlines()[-1] == "  and 2 more."


def test_an_exported_file_predicts(
    trained: Path, flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "flowers.safetensors"
    assert commands.run(["export", str(only_run(trained)), str(out)]) == 0
    assert capsys.readouterr().out == f"The network is saved in {out}.\n"
    assert commands.run(["predict", str(out), str(flowers / "poppy" / "0.png"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["event"] == "Predicted"
    assert commands.run(["export", str(only_run(trained)), str(tmp_path / "flowers.h5")]) == 2
