"""Every command that takes a folder of images takes an archive of it."""

import tarfile
from pathlib import Path

import pytest
from command_line import PLAIN, events_of, kinds, only_run, recipe_of
from shards import files_of, write_shards, write_tar, write_zip

from flowergui.cli import commands
from flowergui.cli.options import parse


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict]:
    assert commands.run([*map(str, arguments), "--json"]) == 0
    return events_of(capsys.readouterr().out)


def test_train_resume_evaluate_and_predict(
    flowers: Path, empty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_tar(tmp_path / "flowers.tar", files_of(flowers))
    plain = [*PLAIN, "--epochs", "1", "--batch-size", "4"]
    assert kinds(printed(capsys, "train", path, *plain))[-1] == "Finished"
    assert recipe_of(empty)["photos"] == str(path)
    run = only_run(empty)
    assert kinds(printed(capsys, "resume", run, "--epochs", "2"))[-1] == "Finished"
    assert printed(capsys, "evaluate", run)[-1]["photos"] == 4
    new = write_zip(tmp_path / "new.zip", files_of(flowers / "violet"))
    events = printed(capsys, "predict", run, new, "--sort-into", tmp_path / "sorted")
    assert kinds(events).count("Predicted") == 10
    assert len(list((tmp_path / "sorted").glob("*/*.png"))) == 10


def test_inspect_shards(flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shards = write_shards(tmp_path / "shards", files_of(flowers), 3)
    assert commands.run(["inspect", str(shards)]) == 0
    told = capsys.readouterr()
    assert "The images are in 3 archives." in told.out
    assert "shard-0001.tar/poppy/torn.jpg" in told.out + told.err
    events = printed(capsys, "inspect", shards)
    assert [each["train"] for each in events[-1]["classes"]] == [10, 10]


def test_compressed_archives_are_refused_in_one_sentence(
    flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(tmp_path / "flowers.tar.gz", "w:gz") as archive:
        archive.add(flowers, "flowers")
    for command in (["inspect"], ["train"], ["networks"]):
        assert commands.run([*command, str(tmp_path / "flowers.tar.gz")]) == 2
        told = capsys.readouterr()
        assert "gzip" in told.err
        assert "Unpack it" in told.err
        assert len(told.err.strip().splitlines()) == 1


def test_an_archive_may_stand_behind_the_options(flowers: Path, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "flowers.tar", files_of(flowers))
    assert parse(["train", "--frozen", "conv1", str(path)]).folder == str(path)


def test_an_archive_is_no_checkpoint(
    flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_tar(tmp_path / "flowers.tar", files_of(flowers))
    assert commands.run(["evaluate", str(path)]) == 2
    assert "--folds 5" in capsys.readouterr().err
