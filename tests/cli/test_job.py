"""`flowergui job`: a folder that trains a run on a cluster; and the options of its scripts."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import PLAIN, events_of, only_run, recipe_of

from flowergui.cli import commands
from flowergui.config.recipe import Recipe
from flowergui.store.run_folder import RunFolder

LITTLE = (*PLAIN, "--mode", "scratch", "--epochs", "2", "--batch-size", "4", "--seed", "5")
FILES = {"recipe.json", "split.csv", "job.sbatch", "job.yaml", "README.md"}

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@pytest.fixture
def job(flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "poppies and violets"
    assert commands.run(["job", str(folder), str(flowers), *LITTLE, "--gpus", "0", "--json"]) == 0
    assert events_of(capsys.readouterr().out)[-1]["event"] == "JobWritten"
    return folder


def split_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def with_commands(folder: Path, **scripts: str) -> dict[str, str]:
    """The environment of a machine that has these commands, each a line of bash."""
    folder.mkdir()
    for name, line in scripts.items():
        (folder / name).write_text(f"#!/bin/bash\n{line}\n")
        (folder / name).chmod(0o755)
    paths = (str(folder), str(Path(sys.executable).parent), os.environ["PATH"])
    return {**os.environ, "PATH": os.pathsep.join(paths)}


def manifest(text: str) -> list[Any]:
    """The documents of a manifest: the part of YAML in which they are written."""

    def value(text: str) -> Any:
        return json.loads(text) if text[:1] in '"[' or text.isdecimal() else text

    def block(lines: list[tuple[int, str]]) -> Any:
        """A list or a mapping of lines that begin at the same column or deeper."""
        column, first = lines[0]
        starts = [n for n, (at, _) in enumerate(lines) if at == column]
        parts = [lines[a:b] for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]
        if first.startswith("- "):
            return [item(part) for part in parts]
        found = {}
        for (_, line), *rest in parts:
            key, _, text = line.partition(":")
            assert bool(text) != bool(rest), line
            found[key] = block(rest) if rest else value(text.strip())
        return found

    def item(lines: list[tuple[int, str]]) -> Any:
        (column, first), *rest = lines
        inner = first.removeprefix("- ")
        if re.match(r"[\w-]+:( |$)", inner):
            return block([(column + 2, inner), *rest])
        assert not rest
        return value(inner)

    documents = []
    for document in text.split("\n---\n"):
        kept = (line for line in document.splitlines() if not line.lstrip().startswith("#"))
        documents.append(block([(len(line) - len(line.lstrip()), line.strip()) for line in kept]))
    return documents


def test_the_folder_has_all_that_a_run_needs_but_its_images(job: Path, flowers: Path) -> None:
    assert {path.name for path in job.iterdir()} == FILES
    stored = json.loads((job / "recipe.json").read_text())
    assert stored["photos"] == ""
    assert (stored["model"], stored["epochs"], stored["seed"]) == ("mynet", 2, 5)
    rows = split_of(job / "split.csv")
    assert {row["split"] for row in rows} == {"train", "validation"}
    assert len(rows) == 20
    assert str(flowers) not in "".join(path.read_text() for path in job.iterdir())


def test_the_split_is_that_of_a_run_here(job: Path, flowers: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    assert commands.run(["train", str(flowers), *LITTLE, "--models-folder", str(models)]) == 0
    assert split_of(job / "split.csv") == split_of(only_run(models) / "split.csv")


SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_NNODES": "1",
    "SLURM_JOB_NODELIST": "localhost",
    "SLURM_CPUS_PER_TASK": "8",
}
"""What a batch script on one node finds in its environment."""


@bash
def test_the_batch_script_trains_under_torchrun(job: Path, flowers: Path, tmp_path: Path) -> None:
    """On one machine: `srun` runs the command that it is given, with the job's cores, and so do the
    names of nodes."""
    script = job / "job.sbatch"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    srun = '[ "$1" = --cpus-per-task=8 ] || exit 9; shift; exec "$@"'
    environment = with_commands(
        tmp_path / "slurm", srun=srun, scontrol='echo "scontrol $*" >&2; echo localhost'
    )
    environment |= SLURM
    moved = tmp_path / "images on the cluster"
    shutil.copytree(flowers, moved)
    done = subprocess.run(
        ["bash", str(script), str(moved)],
        cwd=job,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "requeue" not in done.stderr
    run = RunFolder(only_run(job / "models"))
    assert [each.epoch for each in run.history.epochs()] == [1, 2]
    assert run.recipe().photos == str(moved)
    assert split_of(run.path / "split.csv") == split_of(job / "split.csv")
    assert commands.run(["watch", str(job)]) == 0


@bash
def test_a_job_whose_time_is_over_is_queued_again(job: Path, tmp_path: Path) -> None:
    environment = with_commands(
        tmp_path / "slurm",
        srun="exit 1",
        scontrol='echo "scontrol $*" >&2; echo localhost',
        date="echo 1000000",
    )
    environment |= SLURM
    said = {}
    for name, end in (("near", "1000100"), ("far", "1009999"), ("unknown", "")):
        known = {"SLURM_JOB_END_TIME": end} if end else {}
        done = subprocess.run(
            ["bash", "job.sbatch"],
            cwd=job,
            env=environment | known,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        said[name] = "scontrol requeue 4711" in done.stderr
    assert said == {"near": True, "far": False, "unknown": False}


def test_what_the_batch_script_asks_of_slurm(flowers: Path, tmp_path: Path) -> None:
    options = ("--nodes", "3", "--gpus", "4", "--hours", "20", "--images-there", "/data/my flowers")
    assert commands.run(["job", str(tmp_path / "job"), str(flowers), *LITTLE, *options]) == 0
    text = (tmp_path / "job" / "job.sbatch").read_text()
    asked = re.findall(r"^#SBATCH (.+)$", text, re.M)
    assert set(asked) >= {
        "--nodes=3",
        "--gpus-per-node=4",
        "--ntasks-per-node=1",
        "--time=20:00:00",
        "--signal=TERM@120",
        "--requeue",
    }
    assert "--nproc-per-node 4" in text
    assert 'images=${1:-"/data/my flowers"}' in text


@bash
@pytest.mark.parametrize(
    ("named", "means"),
    [
        ("$SCRATCH/my flowers", "/scratch/me/my flowers"),
        ("${SCRATCH}/flowers", "/scratch/me/flowers"),
        ("~/flowers", "/home/me/flowers"),
        ("~", "/home/me"),
        ("/data/$5 or $(id) or ${x:-y}$", "/data/$5 or $(id) or ${x:-y}$"),
        ('/data/it\'s "rosy" `id` \\ {a} ~/', '/data/it\'s "rosy" `id` \\ {a} ~/'),
        ("/data/flowers", "/data/flowers"),
    ],
)
def test_the_folder_of_images_is_what_it_stands_for_there(
    flowers: Path, tmp_path: Path, named: str, means: str
) -> None:
    options = ("--images-there", named)
    assert commands.run(["job", str(tmp_path / "job"), str(flowers), *LITTLE, *options]) == 0
    environment = with_commands(
        tmp_path / "slurm", srun='printf "%s\\n" "$@"', scontrol="echo here"
    )
    environment |= SLURM | {"SCRATCH": "/scratch/me", "HOME": "/home/me"}
    done = subprocess.run(
        ["bash", "job.sbatch"],
        cwd=tmp_path / "job",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    words = done.stdout.splitlines()
    assert words[words.index("train") + 1] == means, done.stderr


@pytest.mark.parametrize("named", ["$SCRATCH/flowers", "~/flowers", "/data/$USER", "flowers"])
def test_the_manifest_mounts_images_at_an_absolute_path(
    flowers: Path, tmp_path: Path, named: str
) -> None:
    options = ("--images-there", named)
    assert commands.run(["job", str(tmp_path / "job"), str(flowers), *LITTLE, *options]) == 0
    _, job = manifest((tmp_path / "job" / "job.yaml").read_text())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "images"]
    assert mount["mountPath"] == "/images"
    assert container["command"][container["command"].index("train") + 1] == "/images"


def test_the_manifest_runs_the_same_command(flowers: Path, tmp_path: Path) -> None:
    options = ("--nodes", "2", "--gpus", "4", "--images-there", "/data/flowers")
    assert commands.run(["job", str(tmp_path / "job"), str(flowers), *LITTLE, *options]) == 0
    service, job = manifest((tmp_path / "job" / "job.yaml").read_text())
    assert (service["kind"], job["kind"], job["apiVersion"]) == ("Service", "Job", "batch/v1")
    name = job["metadata"]["name"]
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?", name)
    assert service["metadata"]["name"] == name
    assert service["spec"]["selector"] == {"job-name": name}
    spec = job["spec"]
    assert (spec["completions"], spec["parallelism"], spec["completionMode"]) == (2, 2, "Indexed")
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": 4}
    volumes = {each["name"] for each in pod["volumes"]}
    assert {each["name"] for each in container["volumeMounts"]} == volumes
    command = container["command"]
    assert command[:5] == ["torchrun", "--nnodes", "2", "--nproc-per-node", "4"]
    assert command[command.index("--rdzv-endpoint") + 1] == f"{name}-0.{pod['subdomain']}:29500"
    script = (tmp_path / "job" / "job.sbatch").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"-m flowergui (train .*?) \|\|", script)
    there = [word.replace("$images", "/data/flowers") for word in shlex.split(line)]
    assert command[command.index("flowergui") + 1 :] == there


def test_a_file_of_weights_goes_with_the_job(trained: Path, flowers: Path, tmp_path: Path) -> None:
    """The split too is that of the run that the weights come from."""
    best = only_run(trained) / "best.pth"
    folder = tmp_path / "job"
    arguments = ("--weights", str(best), *PLAIN, "--epochs", "1", "--batch-size", "4")
    assert commands.run(["job", str(folder), str(flowers), *arguments]) == 0
    assert (folder / "weights.pth").read_bytes() == best.read_bytes()
    assert json.loads((folder / "recipe.json").read_text())["weights"] == "weights.pth"
    models = tmp_path / "models"
    command = ["train", str(flowers), "--recipe", str(folder / "recipe.json")]
    split = ["--split", str(folder / "split.csv"), "--models-folder", str(models)]
    assert commands.run([*command, *split]) == 0
    assert recipe_of(models)["weights"] == str(folder / "weights.pth")
    rows = {row["path"]: row["split"] for row in split_of(only_run(models) / "split.csv")}
    theirs = {row["path"]: row["split"] for row in split_of(only_run(trained) / "split.csv")}
    assert rows == theirs


def test_a_folder_with_other_files_is_refused(
    flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    assert commands.run(["job", str(tmp_path), str(flowers), *LITTLE]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_job_can_be_written_again(job: Path, flowers: Path) -> None:
    assert commands.run(["job", str(job), str(flowers), *LITTLE, "--epochs", "7"]) == 0
    assert json.loads((job / "recipe.json").read_text())["epochs"] == 7


@pytest.mark.usefixtures("chinese")
def test_the_readme_speaks_the_language_of_the_program(flowers: Path, tmp_path: Path) -> None:
    assert commands.run(["job", str(tmp_path / "job"), str(flowers), *LITTLE]) == 0
    text = (tmp_path / "job" / "README.md").read_text(encoding="utf-8")
    assert "集群" in text
    assert "sbatch job.sbatch" in text


# --- train --recipe and --split -----------------------------------------------------------------


def test_a_recipe_from_a_file(
    flowers: Path, job: Path, planned: list[Recipe], capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", str(flowers), "--recipe"]
    assert commands.run([*train, str(job / "recipe.json")]) == 0
    assert commands.run([*train, str(job), "--learning-rate", "0.03", "--epochs", "9"]) == 0
    first, second = planned
    assert (first.model, first.epochs, first.photos) == ("mynet", 2, str(flowers))
    assert (second.learning_rate, second.epochs, second.seed) == (0.03, 9, 5)
    for path, says in (("nowhere.json", "There is no file"), ("split.csv", "can't be read")):
        assert commands.run([*train, str(job / path)]) == 2
        assert says in capsys.readouterr().err
    assert commands.run([*train, str(job), "--preset", "tutorial"]) == 2
    assert "can't both be given" in capsys.readouterr().err


def trained_with(split: Path, flowers: Path, models: Path) -> int:
    options = ["--split", str(split), "--models-folder", str(models), "--json"]
    return commands.run(["train", str(flowers), *LITTLE, "--epochs", "1", *options])


def test_a_given_split_is_used(
    flowers: Path, job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = split_of(job / "split.csv")
    swapped = [(row["path"], row["class"], row["split"]) for row in rows]
    swapped = [
        (path, name, "train" if int(Path(path).stem) % 2 else "validation")
        for path, name, _ in swapped
    ]
    table = tmp_path / "split.csv"
    lines = ["path,class,split", *map(",".join, [*swapped[1:], ("rose/1.png", "rose", "train")])]
    table.write_text("\n".join(lines) + "\n")
    assert trained_with(table, flowers, tmp_path / "models") == 0
    used = {
        row["path"]: row["split"] for row in split_of(only_run(tmp_path / "models") / "split.csv")
    }
    assert {path: used[path] for path, _, _ in swapped[1:]} == {
        path: part for path, _, part in swapped[1:]
    }
    warned = [e["message"] for e in events_of(capsys.readouterr().out) if e["event"] == "Warned"]
    assert any("1 image of the given split is not in" in message for message in warned)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("path,class,split\nrose/1.png,rose,train\n", "None of the images of the given split"),
        ("path,class,split\npoppy/1.png,poppy,test\n", "can't be read"),
        (None, "There is no file"),
    ],
)
def test_a_split_that_can_not_be_used(
    flowers: Path,
    tmp_path: Path,
    content: str | None,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = tmp_path / "split.csv"
    if content is not None:
        table.write_text(content)
    assert trained_with(table, flowers, tmp_path / "models") == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_a_split_that_contradicts_the_folders(
    flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "val"):
        shutil.copytree(flowers, tmp_path / "own" / part)
    table = tmp_path / "split.csv"
    table.write_text("path,class,split\ntrain/poppy/1.png,poppy,validation\n")
    assert trained_with(table, tmp_path / "own", tmp_path / "models") == 2
    assert "contradicts the train and validation folders" in capsys.readouterr().err


def test_a_split_that_leaks_is_refused(
    trained: Path, flowers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = split_of(only_run(trained) / "split.csv")
    table = tmp_path / "split.csv"
    lines = [f"{row['path']},{row['class']},validation" for row in rows if row["split"] == "train"]
    table.write_text("\n".join(["path,class,split", *lines[:1]]) + "\n")
    weights = ["--weights", str(only_run(trained) / "best.pth"), *PLAIN, "--split", str(table)]
    assert commands.run(["train", str(flowers), *weights]) == 2
    assert "data leakage" in capsys.readouterr().err
