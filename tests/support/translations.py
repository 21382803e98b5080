"""The catalogs of translations: collected from the code, updated, compiled.

    python tests/support/translations.py

Run it when a sentence is new or has changed, then fill in what is empty or marked as fuzzy in
resources/translations/*/LC_MESSAGES/flowergui.po.
"""

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

CHECKOUT = Path(__file__).parents[2]
SOURCES = sorted((CHECKOUT / "resources" / "translations").glob("*/LC_MESSAGES/flowergui.po"))

KEYWORDS = {"tr": None, "trn": (1, 2), "N_": None}
"""The functions whose arguments are messages; the first two of `trn`."""


def collected() -> Catalog:
    """All messages of the program, without a translation."""
    found = Catalog()
    package = CHECKOUT / "flowergui"
    with redirect_stderr(StringIO()):  # it warns of f-strings, which are values here
        for _, _, message, _, _ in extract_from_dir(package, [("**.py", "python")], {}, KEYWORDS):
            found.add(message)
    return found


def read(source: Path) -> Catalog:
    """A catalog with its translations."""
    with open(source, encoding="utf-8") as file:
        return read_po(file, locale=source.parts[-3])


def compile_into(folder: Path) -> Path:
    """Compiles all catalogs into a folder of translations, as an installation does."""
    for source in SOURCES:
        compiled = folder / source.parts[-3] / "LC_MESSAGES" / "flowergui.mo"
        compiled.parent.mkdir(parents=True, exist_ok=True)
        with open(compiled, "wb") as file:
            write_mo(file, read(source))
    return folder


def unfinished(catalog: Catalog) -> list[str]:
    """The messages that have no translation, or a guessed one (Babel calls it fuzzy)."""
    return [
        _first(message.id)
        for message in catalog
        if message.id and (message.fuzzy or not message.string or not all(message.string))
    ]


def _first(message: str | list[str] | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def main() -> None:
    """Brings the catalogs up to date with the code, and compiles them."""
    for source in SOURCES:
        catalog = read(source)
        catalog.update(collected(), update_creation_date=False)
        with open(source, "wb") as file:
            # Without line numbers, and sorted: work on two branches seldom conflicts.
            write_po(
                file, catalog, width=0, no_location=True, sort_output=True, ignore_obsolete=True
            )
        print(f"{source.relative_to(CHECKOUT)}: {len(unfinished(catalog))} messages to translate")
    compile_into(CHECKOUT / "resources" / "translations")


if __name__ == "__main__":
    main()
