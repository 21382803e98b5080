"""Every sentence for people can be collected for translation, is translated, and is filled in
completely."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
import translations
from babel.messages.catalog import Message

import flowergui
from flowergui import text
from flowergui.cli import help_text
from flowergui.config.recipe import SETTINGS

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


def test_an_empty_message_stays_empty() -> None:
    assert text.tr("") == ""


# --- the catalogs -------------------------------------------------------------------------------

Key = tuple[str, ...]
"""A message, or its singular and its plural."""


def messages() -> set[Key]:
    """The messages of the program, found without Babel."""
    found = set()
    for _, name, call in calls():
        texts = [literal(argument) for argument in call.args[: MESSAGES[name]]]
        if all(texts):
            found.add(tuple(str(each) for each in texts))
    return found


def key(message: Message) -> Key:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def strings(message: Message) -> Key:
    """The translations of a message; of a language with one plural form, one."""
    found = message.string
    return (found,) if isinstance(found, str) else tuple(each or "" for each in found or ("",))


def translated(source: Path) -> list[Message]:
    return [message for message in translations.read(source) if message.id]


def asked(message: str) -> set[str]:
    """The {named} and the %(named)s placeholders, and the %s."""
    return placeholders(message) | set(re.findall(r"%(?:\(\w+\))?[rsd]", message))


each_catalog = pytest.mark.parametrize(
    "source", translations.SOURCES, ids=lambda source: source.parts[-3]
)


def test_there_is_a_chinese_catalog() -> None:
    assert [each.parts[-3] for each in translations.SOURCES] == ["zh_CN"]


def test_babel_collects_every_message() -> None:
    singular = {message[0] for message in messages()}
    assert {key(message)[0] for message in translations.collected() if message.id} == singular


@each_catalog
def test_every_message_is_translated(source: Path) -> None:
    """If this fails: python tests/support/translations.py, then translate what it says."""
    missing = {message[0] for message in messages()} - {key(each)[0] for each in translated(source)}
    unfinished = translations.unfinished(translations.read(source))
    assert sorted(missing | {*unfinished}) == []


@each_catalog
def test_translations_have_the_same_placeholders(source: Path) -> None:
    """In a plural, {count} may be left out of the singular, in any language."""
    wrong = [
        (key(message)[0], string)
        for message in translated(source)
        for string in strings(message)
        if asked(string) != set().union(*map(asked, key(message)))
    ]
    assert wrong == []


@each_catalog
def test_no_translation_is_of_a_message_that_has_gone(source: Path) -> None:
    gone = {key(each)[0] for each in translated(source)} - {each[0] for each in messages()}
    assert sorted(gone) == []


def test_what_argparse_says_is_collected() -> None:
    """What it says to programmers, and as its exit message, is not."""
    source = Path(argparse.__file__).read_text("utf-8")
    said = {
        literal(node.args[0])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_"
    }
    for_programmers = re.compile(
        r"\.__call__|conflict|cannot|can't|must|required for options|is not callable|: error: |"
        r"'required'|with mode"
    )
    expected = {each for each in said if each and not for_programmers.search(each)}
    assert len(expected) > 10
    assert expected - set(help_text.MESSAGES) == set()
