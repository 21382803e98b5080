"""Compiles the translations when the program is built or installed, also with `pip install -e`."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileTranslations(BuildHookInterface):  # type: ignore[type-arg]
    """Writes flowergui.mo beside each flowergui.po."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for source in Path(__file__).parent.glob("*/LC_MESSAGES/*.po"):
            with (
                open(source, encoding="utf-8") as text,
                open(source.with_suffix(".mo"), "wb") as mo,
            ):
                write_mo(mo, read_po(text))
