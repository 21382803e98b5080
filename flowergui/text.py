"""Text for people: translated sentences, and numbers, sizes and times as people write them.

Every sentence that a user reads is a whole sentence, made by `tr` or `trn` with named
placeholders, so that it can be translated. Code never compares or cuts such texts.
"""

import gettext
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

_NBSP = "\N{NO-BREAK SPACE}"

_catalog: gettext.NullTranslations = gettext.NullTranslations()


def use_catalog(catalog: gettext.NullTranslations) -> None:
    """Translates with this gettext catalog from now on. The default, NullTranslations, is English.
    Texts that are on screen already do not change."""
    global _catalog
    _catalog = catalog


def language_tag() -> str:
    """The language of the messages: "en", or what their catalog says, such as "zh_CN"."""
    return _catalog.info().get("language", "en")


def tr(message: str, /, **values: Any) -> str:
    """`message` in the user's language, with its {named} placeholders filled in.

    Babel collects messages by the name of this function, so `message` must be a literal, or a
    variable whose values are marked by `N_`. An empty message stays empty.
    """
    translated = _catalog.gettext(message) if message else ""  # "" is the catalog's header
    return translated.format(**values) if values else translated


def trn(singular: str, plural: str, count: int, /, **values: Any) -> str:
    """`singular` or `plural` in the user's language, by `count`.

    {count} is filled in with thousands separators: trn("{count} image", "{count} images", 1500)
    is "1,500 images". Other placeholders come from `values`.
    """
    return _catalog.ngettext(singular, plural, count).format(count=f"{count:,}", **values)


def N_(message: str) -> str:  # noqa: N802  # gettext's own name
    """Marks a literal for translation that is shown later, by `tr` of a variable."""
    return message


def sentences(*parts: str) -> str:
    """Sentences one after the other, as the language spaces them; empty ones are left out."""
    text = ""
    for part in filter(None, parts):
        text = tr("{sentence} {next}", sentence=text, next=part) if text else part
    return text


def enumerated(names: Iterable[str]) -> str:
    """Names or phrases one after the other, as the language separates them: "rose, tulip"."""
    return tr(", ").join(names)


def one_line(name: str) -> str:
    """A name with its line breaks and other control characters as escapes, so that it can't break
    a table or a terminal."""
    return "".join(
        repr(char)[1:-1] if unicodedata.category(char) == "Cc" else char for char in name
    )


ROUNDING_ERROR = 1e-9
"""By how much a share may miss 1 where it is 1: bounds of intervals are computed."""


# --- shares -----------------------------------------------------------------------------------


def percent(share: float) -> str:
    """A share from 0 to 1 in whole percent, never rounded to certainty: "7%", "> 99%"."""
    if 0 < share < 0.01:
        return f"<{_NBSP}1%"
    if 0.995 <= share < 1:
        return f">{_NBSP}99%"
    return f"{share:.0%}"


def fine_percent(share: float) -> str:
    """A share from 0 to 1 in percent with one decimal, as for accuracies: "86.3%". Never rounded to
    100%: 2,499 of 2,500 are 99.9%."""
    if 0.9995 <= share < 1 - ROUNDING_ERROR:
        return "99.9%"
    return f"{share:.1%}"


def percent_digits(share: float) -> str:
    """A share from 0 to 1 in whole percent without a sign, never rounded to certainty."""
    if 0 < share < 1:
        return str(min(max(round(100 * share), 1), 99))
    return f"{100 * share:.0f}"


# --- counts and sizes -------------------------------------------------------------------------


def short_count(count: int) -> str:
    """A count in at most six characters: "9,408", "11.2 M"."""
    if count < 100_000:
        return f"{count:,}"
    thousands = count < 999_500
    value, unit = (count / 1e3, "k") if thousands else (count / 1e6, "M")
    return f"{value:.0f} {unit}" if value >= 99.5 else f"{value:.1f} {unit}"


def tiny_count(count: int) -> str:
    """A count in at most four characters, for table cells: "999", "12k", "3M"."""
    for unit, letter in ((10**6, "M"), (10**3, "k")):
        if count >= unit:
            return f"{count // unit}{letter}"
    return str(count)


def megaparameters(count: int) -> str:
    """A network's number of parameters, in millions: "11.7 M"."""
    return f"{count / 1e6:.1f} M" if count >= 50_000 else f"{count:,}"


def file_size(size: int) -> str:
    """A size in bytes, in decimal units: "12.3 MB", "1.2 GB"."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def megabytes(size: float) -> str:
    """A size in megabytes, as of a download: "98 MB", "1,266 MB"."""
    return f"{size:,.0f} MB"


def number(value: float) -> str:
    """The shortest text that reads back as `value`: "0.001", "0.00001", "1e-8", "60"."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = repr(float(value))
    if "e" not in text:
        return text
    if 1e-6 <= abs(value) < 1:
        return f"{Decimal(text):f}"
    digits, _, power = text.partition("e")
    return f"{digits}e{int(power)}"


def grouped_number(value: float) -> str:
    """A number as sentences have it: "10,000", "0.001"."""
    return f"{int(value):,}" if value == int(value) else number(value)


def shortened(names: Sequence[str], most: int = 8) -> str:
    """The first `most` names, and how many more there are."""
    shown, more = enumerated(names[:most]), len(names) - most
    if more <= 0:
        return shown
    return tr("{names} and {count} more", names=shown, count=f"{more:,}")


# --- times ------------------------------------------------------------------------------------


def clock(seconds: float) -> str:
    """Seconds as a clock shows them: "3:12", "1:04:09"."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rough_duration(seconds: float) -> str:
    """Seconds with no more digits than an estimate deserves: "8 s", "3:12 min", "807 h"."""
    if seconds < 60:
        return tr("{seconds} s", seconds=max(round(seconds), 1))
    if seconds >= 10 * 3600:
        return tr("{hours} h", hours=f"{round(seconds / 3600):,}")
    if seconds >= 3599.5:
        return tr("{hours} h", hours=clock(seconds))
    return tr("{minutes} min", minutes=clock(seconds))


def duration(seconds: float) -> str:
    """Seconds in at most two units: "8.0 s", "3 min 12 s", "1 h 4 min"."""
    if seconds < 60:
        return tr("{seconds} s", seconds=f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return tr("{hours} h {minutes} min", hours=hours, minutes=minutes)
    return tr("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
