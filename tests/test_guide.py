"""The guide calls controls by their names."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from translations import SOURCES, read

import flowergui
from flowergui.store import paths

PACKAGE = Path(flowergui.__file__).parent

ITALICS = r"(?<!\*)\*([^*\n]+)\*(?!\*)"


def test_every_name_in_italics_is_in_the_window() -> None:
    texts = {
        node.value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 80
    }
    guide = paths.resource("guide.md").read_text("utf-8")
    names = set(re.findall(ITALICS, guide))
    assert len(names) > 30
    assert sorted(name for name in names if not any(name in text for text in texts)) == []


TRANSLATED = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.parts[-3])


def guide_beside(source: Path) -> str:
    """The guide in the language of a catalog."""
    return paths.resource(f"guide.{source.parts[-3]}.md").read_text("utf-8")


@TRANSLATED
def test_a_translated_guide_calls_controls_by_their_translated_names(source: Path) -> None:
    translations = [message.string for message in read(source) if message.id]
    texts = [each if isinstance(each, str) else each[0] for each in translations]
    names = set(re.findall(ITALICS, guide_beside(source)))
    assert len(names) > 30
    assert sorted(name for name in names if not any(name in text for text in texts)) == []


@TRANSLATED
def test_a_translated_guide_has_the_same_parts(source: Path) -> None:
    """Chapters, lists and code: a guide that grew in English has to grow in all languages."""
    english = paths.resource("guide.md").read_text("utf-8")
    for part in (r"^#+ ", r"^\d+\. ", r"^- ", r"`[^`\n]+`"):
        counts = [
            Counter(re.findall(part, guide, re.M)) for guide in (english, guide_beside(source))
        ]
        assert counts[0] == counts[1], part
