"""The preferences, and where they are kept."""

import os
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QSettings

from flowergui import language
from flowergui.desktop.style.theme import Scheme
from flowergui.errors import FlowerError
from flowergui.language import Language
from flowergui.text import enumerated, tr

THEME_VARIABLE: Final = "FLOWERGUI_THEME"
"""The environment variable that names a Scheme, and wins over the preferences."""

LANGUAGE_KEY: Final = "language"
"""The name of the user's choice of a language in the settings file."""

ZOOM_STEPS: Final = (80, 90, 100, 110, 125, 150, 175, 200)
"""Percent."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the user prefers; the defaults are those of a new program."""

    scheme: Scheme = Scheme.SYSTEM
    zoom: int = 100
    """One of ZOOM_STEPS."""

    def zoomed(self, steps: int) -> int:
        """The zoom so many steps larger, or smaller where `steps` is negative."""
        place = ZOOM_STEPS.index(self.zoom) + steps
        return ZOOM_STEPS[min(max(place, 0), len(ZOOM_STEPS) - 1)]


def settings_file() -> QSettings:
    """What the window remembers from one start to the next."""
    return QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, "flowergui", "flowergui"
    )


def read(settings: QSettings) -> Preferences:
    """The preferences in a settings file, which may hold anything."""
    scheme, zoom = settings.value("theme"), settings.value("zoom")
    named = (each for each in Scheme if isinstance(scheme, str) and each == scheme)
    return Preferences(next(named, Preferences().scheme), _nearest_step(zoom))


def write(settings: QSettings, preferences: Preferences) -> None:
    """Keeps the preferences; those that are the default are not named in the file."""
    for name, value, default in (
        ("theme", str(preferences.scheme), str(Preferences().scheme)),
        ("zoom", preferences.zoom, Preferences().zoom),
    ):
        if value == default:
            settings.remove(name)
        else:
            settings.setValue(name, value)


def chosen_language(settings: QSettings) -> Language | None:
    """The language that the user chose; None for the system's."""
    tag = settings.value(LANGUAGE_KEY)  # the file may hold anything
    return language.find(tag) if isinstance(tag, str) else None


def scheme_of_environment() -> Scheme | None:
    """The scheme that FLOWERGUI_THEME names; None where it is not set. Raises FlowerError."""
    wanted = os.environ.get(THEME_VARIABLE, "")
    if not wanted:
        return None
    found = next((each for each in Scheme if each == wanted.lower()), None)
    if found is None:
        raise FlowerError(
            tr(
                "There is no theme {name} ({variable}).", name=repr(wanted), variable=THEME_VARIABLE
            ),
            hint=tr("The themes are {names}.", names=enumerated(Scheme)),
        )
    return found


def _nearest_step(zoom: object) -> int:
    try:
        wanted = int(zoom) if isinstance(zoom, str | int) else Preferences().zoom
    except ValueError:
        return Preferences().zoom
    return min(ZOOM_STEPS, key=lambda step: abs(step - wanted))
