"""Every sentence for people can be collected for translation, and is filled in completely."""

import ast
import struct
from collections.abc import Iterator
from gettext import NullTranslations
from pathlib import Path
from string import Formatter

import pytest

import flowergui
from flowergui import text
from flowergui.__main__ import main
from flowergui.config.recipe import SETTINGS
from flowergui.store import paths

PACKAGE = Path(flowergui.__file__).parent

MESSAGES = {"tr": 1, "trn": 2, "N_": 1}
"""The functions that Babel collects messages from, and how many of their arguments are messages."""


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """The place, the name of the function, and the call of each of these functions."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in MESSAGES:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", name, node


def literal(argument: ast.expr) -> str | None:
    is_text = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    return argument.value if is_text else None  # type: ignore[attr-defined]


def placeholders(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


def test_messages_are_literals() -> None:
    """An f-string, a sum or a choice of two would reach no translator."""
    wrong = []
    for place, name, call in calls():
        for argument in call.args[: MESSAGES[name]]:
            shown_later = name == "tr" and isinstance(
                argument, ast.Name | ast.Attribute | ast.Subscript
            )
            if literal(argument) is None and not shown_later:
                wrong.append(f"{place}: {ast.unparse(argument)[:60]}")
    assert wrong == []


def test_the_texts_of_all_settings_are_collected() -> None:
    """Frontends translate them, but only what stands in N_ reaches a translator."""
    collected = {literal(call.args[0]) for _, name, call in calls() if name == "N_"}
    texts = {
        text
        for each in SETTINGS
        for text in (
            *(each.group, each.label, each.help, each.unit, each.zero),
            *(choice.label for choice in each.choices),
        )
        if text
    }
    assert texts - collected == set()


def test_no_message_is_inside_an_f_string() -> None:
    """Babel does not look there."""
    wrong = [
        f"{path.relative_to(PACKAGE)}:{text.lineno}"
        for path in PACKAGE.rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(text, ast.JoinedStr)
        for node in ast.walk(text)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in MESSAGES
        and literal(node.args[0]) is not None
    ]
    assert wrong == []


def test_every_placeholder_is_filled_in() -> None:
    wrong = []
    for place, name, call in calls():
        messages = [literal(argument) for argument in call.args[: MESSAGES[name]]]
        asked = set().union(*(placeholders(message) for message in messages if message))
        given = {each.arg for each in call.keywords if each.arg} | {"count"} & (
            asked if name == "trn" else set()
        )
        whole = any(each.arg is None for each in call.keywords)  # **values: can't be read here
        if name != "N_" and messages[0] and (given - asked or (asked - given and not whole)):
            wrong.append(f"{place}: asked {sorted(asked)}, given {sorted(given)}")
    assert wrong == []


def test_there_are_messages() -> None:
    found = [name for _, name, _ in calls()]
    assert found.count("tr") > 200
    assert found.count("trn") > 5
    assert found.count("N_") > 60


@pytest.mark.parametrize(("count", "words"), [(1, "1 image"), (1500, "1,500 images")])
def test_counts(count: int, words: str) -> None:
    assert text.trn("{count} image", "{count} images", count) == words


def compiled(messages: dict[str, str]) -> bytes:
    """A catalog as msgfmt compiles it (.mo), as the manual of GNU gettext describes it."""
    header = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=1; plural=0;\n"}
    pairs = sorted((old.encode(), new.encode()) for old, new in (header | messages).items())
    tables, texts = [[], []], b""
    start = 28 + 16 * len(pairs)
    for side, table in enumerate(tables):
        for pair in pairs:
            table += [len(pair[side]), start + len(texts)]
            texts += pair[side] + b"\0"
    sizes = (0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    numbers = [*sizes, *tables[0], *tables[1]]
    return struct.pack(f"<{len(numbers)}I", *numbers) + texts


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A translation of two messages, which the program finds."""
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    messages = {
        "A note is for one run.": "Eine Notiz gehört zu einem Lauf.",
        "{count} image\0{count} images": "{count} Bilder",
    }
    (folder / "flowergui.mo").write_bytes(compiled(messages))
    monkeypatch.setattr(paths, "translations_folder", lambda: tmp_path)
    monkeypatch.setenv("FLOWERGUI_LANGUAGE", "de")
    yield
    text.use_catalog(NullTranslations())


@pytest.mark.usefixtures("german")
def test_a_compiled_catalog_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--note", "x"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("flowergui: Eine Notiz gehört zu einem Lauf. Name the run:")
    assert text.trn("{count} image", "{count} images", 1500) == "1,500 Bilder"


def test_without_a_catalog_it_is_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in ("", "de", "tlh"):
        monkeypatch.setenv("FLOWERGUI_LANGUAGE", language)
        assert text.find_catalog(tmp_path).gettext("A note is for one run.") == (
            "A note is for one run."
        )


def test_an_empty_message_stays_empty() -> None:
    assert text.tr("") == ""
