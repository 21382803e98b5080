"""What a person who helps wants to know, as text. It is not translated: developers read it."""

import json
import platform
from collections.abc import Iterable, Sequence

from PySide6.QtGui import QGuiApplication

from flowergui.config.recipe import Recipe
from flowergui.desktop.preferences.preferences import Preferences
from flowergui.desktop.session import Session
from flowergui.desktop.widgets.message_log import LogEntry, MessageKind
from flowergui.store import paths
from flowergui.system.diagnostics import (
    environment,
    versions,
    without_folders,
    without_personal_paths,
)

MAX_MESSAGES = 20
"""The newest errors and warnings that are named."""


def diagnostics(
    session: Session,
    preferences: Preferences,
    entries: Iterable[LogEntry],
    devices: Sequence[str],
    recent_folders: Iterable[str] = (),
) -> str:
    """Versions, system, devices, settings, and the last errors (`entries` are newest first). Paths
    do not tell whose they are, and folders of images (the open one, those of `runs`, and
    `recent_folders`) are not named."""
    folders = {*recent_folders, *(each.recipe.photos for each in session.runs)}
    folders |= {session.recipe.photos, session.moved_photos}
    if session.dataset is not None:
        folders.add(session.dataset.folder)
    changed = {
        name: value
        for name, value in session.recipe.as_dict().items()
        if value != Recipe().as_dict()[name] and name != "photos"
    }
    problems = [each for each in entries if each.kind in (MessageKind.ERROR, MessageKind.WARNING)]
    lines = [
        *(f"{name} {number}" for name, number in versions().items()),
        f"System: {platform.platform()}",
        f"Screen: {_screens()}",
        *(f"Device: {each}" for each in devices),
        f"Runs: {paths.models_folder()} ({len(session.runs)})",
        f"Cache: {paths.cache_folder()}",
        f"Preferences: theme {preferences.scheme}, size {preferences.zoom}%",
        *(f"{name}={value}" for name, value in environment().items()),
        f"State: {session.mode}, {session.run}",
        f"Recipe: {json.dumps(changed, ensure_ascii=False)}",
        f"Messages: {len(problems)}",
        *(
            f"  {each.time:%H:%M:%S} {each.kind}: {without_folders(each.text, folders, 'images')}"
            for each in reversed(problems[:MAX_MESSAGES])
        ),
    ]
    return without_personal_paths("\n".join(lines)) + "\n"


def _screens() -> str:
    sizes = (
        f"{each.size().width()}x{each.size().height()} at {each.devicePixelRatio():g}"
        for each in QGuiApplication.screens()
    )
    return f"{QGuiApplication.platformName()}, {', '.join(sizes)}"
