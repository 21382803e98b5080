"""The guide calls controls by their names."""

import ast
import re
from pathlib import Path

import flowergui
from flowergui.store import paths

PACKAGE = Path(flowergui.__file__).parent


def test_every_name_in_italics_is_in_the_window() -> None:
    texts = {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 80
    }
    guide = paths.resource("guide.md").read_text("utf-8")
    names = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", guide))
    assert len(names) > 30
    assert sorted(name for name in names if not any(name in text for text in texts)) == []
