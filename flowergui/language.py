"""Which language the program speaks: which there are, which one is wanted, and its texts."""

import gettext
import locale
import logging
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from flowergui.errors import FlowerError
from flowergui.store import paths
from flowergui.text import enumerated, tr, use_catalog

log = logging.getLogger(__name__)

VARIABLE = "FLOWERGUI_LANGUAGE"
"""The environment variable that comes before all other wishes."""


class Language(StrEnum):
    """A language of the program; its value is the name of its folder of translations."""

    ENGLISH = "en"
    SIMPLIFIED_CHINESE = "zh_CN"


NAMES = {Language.ENGLISH: "English", Language.SIMPLIFIED_CHINESE: "简体中文"}
"""Each language as its speakers call it."""

_TRADITIONAL = {"hant", "tw", "hk", "mo"}
"""Scripts and regions of Chinese that are not written in simplified characters."""


def find(tag: str) -> Language | None:
    """The language that a tag names, such as "zh-Hans-CN", "zh_SG.UTF-8" or "en"; None if the
    program does not speak it. Windows says "Chinese (Simplified)_China"."""
    language, *rest = tag.partition(".")[0].partition("@")[0].replace("-", "_").lower().split("_")
    if language in ("en", "english", "c", "posix"):
        return Language.ENGLISH
    if language == "chinese (simplified)":
        return Language.SIMPLIFIED_CHINESE
    if language == "zh" and ("hans" in rest or not _TRADITIONAL.intersection(rest)):
        return Language.SIMPLIFIED_CHINESE
    return None


def asked_for() -> Language | None:
    """The language that FLOWERGUI_LANGUAGE names; None if it is not set. Raises FlowerError if the
    program does not speak that language."""
    tag = os.environ.get(VARIABLE, "")
    found = find(tag) if tag else None
    if tag and found is None:
        raise FlowerError(
            tr("There is no language {language} ({variable}).", language=tag, variable=VARIABLE),
            hint=tr("The languages are {known}.", known=enumerated(Language)),
        )
    return found


def system_tags() -> Sequence[str]:
    """The user's languages, the preferred one first, as the environment variables of gettext and
    POSIX name them. Where none is set, as on Windows, it is that of the locale."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return value.split(":")
    return [locale.getlocale(locale.LC_CTYPE)[0] or ""]


def preferred(tags: Sequence[str]) -> Language:
    """The first of these languages that the program speaks; else English."""
    return next((found for tag in tags if (found := find(tag))), Language.ENGLISH)


_current = Language.ENGLISH


def current() -> Language:
    """The language that is used."""
    return _current


def use(language: Language) -> None:
    """Translates into this language from now on. Texts that were made before do not change."""
    global _current
    _current = language
    use_catalog(_catalog(language, paths.translations_folder()))


def guide() -> str:
    """The guide in the language that is used, as Markdown."""
    name = "guide.md" if _current is Language.ENGLISH else f"guide.{_current}.md"
    return paths.resource(name).read_text("utf-8")


def _catalog(language: Language, folder: Path) -> gettext.NullTranslations:
    if language is Language.ENGLISH:
        return gettext.NullTranslations()  # the messages in the code are English
    try:
        return gettext.translation("flowergui", folder, [language])
    except FileNotFoundError:
        log.warning("The translation in %s is not compiled: install the program.", folder)
        return gettext.NullTranslations()
