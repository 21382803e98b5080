"""Whether something is there is asked in a way that answers, whatever the path is."""

import ast
from pathlib import Path

import pytest

import flowergui
from flowergui.cli import commands

PACKAGE = Path(flowergui.__file__).parent
RAISING = {"is_dir", "is_file", "exists", "is_symlink", "is_mount"}
OURS = {"run", "folder", "self", "entry"}
"""RunFolders, whose exists() asks os.path, and entries of os.scandir, which know their kind."""


def test_no_path_is_asked_in_a_way_that_may_raise() -> None:
    """Before Python 3.14, Path.exists() raises OSError for a name that is too long, and for one in
    a folder that can't be searched. os.path.exists, isdir and isfile never do."""
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(node)}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in RAISING
        and not node.args
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id in OURS)
    ]
    assert wrong == []


LONG = "a" * 300


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", LONG],
        ["train", LONG],
        ["predict", LONG, "x.jpg"],
        ["evaluate", LONG],
        ["evaluate", LONG, "--folds", "5"],
        ["networks", LONG],
        ["learning-curve", LONG],
        ["export", LONG, "out.pth"],
        ["resume", LONG],
        ["runs", LONG],
        ["sample", LONG],
        ["train", ".", "--mode", "transfer", "--weights", LONG],
    ],
    ids=lambda words: " ".join(word for word in words if word != LONG),
)
def test_a_path_that_is_too_long_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(words) == commands.REFUSED
    said = capsys.readouterr().err
    assert said.startswith("flowergui: ")
    assert "Traceback" not in said
