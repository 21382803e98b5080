"""All that the menu bar offers: texts, keys, and when it can be done.

What an action does is said where the window is wired, by its name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtGui import QAction, QKeySequence

from flowergui import language
from flowergui.desktop.session import (
    Mode,
    RunState,
    Session,
    all_editable,
    continuable,
    is_idle,
    may_run_elsewhere,
    open_dataset,
    predicting_checkpoint,
    preset,
    resumable,
    why_not_start,
)
from flowergui.language import Language
from flowergui.text import N_

Key = QKeySequence.StandardKey
Role = QAction.MenuRole
Rule = Callable[[Session], bool]


@dataclass(frozen=True, slots=True)
class Item:
    """An action. `name` is its object name, and `text` a message with a mnemonic.

    `keys` are standard keys, which differ from system to system, and others; all of them work.
    `enabled` and `checked` follow the session, as far as they are given. Where
    `everywhere`, its keys work in all windows of the program, not in the main one alone.
    """

    name: str
    text: str
    keys: tuple[Key | str, ...] = ()
    enabled: Rule | None = None
    checked: Rule | None = None
    texts: Callable[[Session], str] | None = None
    """The message in a session, where it is not always `text`."""
    role: Role = Role.NoRole
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu, or a submenu; None among its `items` is a line between two."""

    name: str
    title: str
    items: tuple["Item | Menu | None", ...] = ()


def _has_dataset(session: Session) -> bool:
    return open_dataset(session) is not None


def _may_start(session: Session) -> bool:
    return is_idle(session) and not why_not_start(session)


def _may_resume(session: Session) -> bool:
    return is_idle(session) and bool(resumable(session))


def _goes(session: Session) -> bool:
    """Whether a run goes that was not asked to stop."""
    return session.run not in (RunState.IDLE, RunState.STOPPING)


def _may_pause(session: Session) -> bool:
    """Whether a run can be paused, or go on."""
    return _goes(session) or bool(continuable(session))


def _start_text(session: Session) -> str:
    return N_("&Start anew") if continuable(session) else N_("&Start")


def _pause_text(session: Session) -> str:
    if continuable(session) or session.run in (RunState.PAUSING, RunState.PAUSED):
        return N_("&Continue")
    return N_("&Try to save again") if session.run is RunState.UNSAVED else N_("&Pause")


def _stop_text(session: Session) -> str:
    return N_("&Discard") if session.run is RunState.UNSAVED else N_("S&top")


def _can_stop(session: Session) -> bool:
    return _goes(session) or _can_ask(session)


def _can_save(session: Session) -> bool:
    return session.run is RunState.RUNNING or _can_ask(session)


def _can_ask(session: Session) -> bool:
    """Whether a run elsewhere is watched that can be asked to save or to stop."""
    return session.watched is not None and session.watched.can_be_asked


def _may_watch(session: Session) -> bool:
    """Whether a run elsewhere can be watched, or left."""
    return is_idle(session) or session.watched is not None


def _watch_text(session: Session) -> str:
    return N_("&Watch a run…") if session.watched is None else N_("Stop &watching")


def _predicts(session: Session) -> bool:
    return bool(predicting_checkpoint(session))


def _is_quicker(session: Session) -> bool:
    """Whether settings are suggested that take less time."""
    found = session.estimate is not None and session.estimate.speedup is not None
    return found and _may_start(session) and session.mode is not Mode.RESUME


def _mode(name: str, mode: Mode, text: str) -> Item:
    return Item(name, text, enabled=is_idle, checked=lambda session: session.mode is mode)


def _preset(name: str, wanted: str, text: str) -> Item:
    return Item(name, text, enabled=all_editable, checked=lambda session: preset(session) == wanted)


LANGUAGES: Final = {Language.ENGLISH: "&English", Language.SIMPLIFIED_CHINESE: "简体中文(&Z)"}
"""Each language as its speakers call it, with a mnemonic."""


def language_action(spoken: Language) -> str:
    """The name of the action that chooses a language."""
    return f"language_{spoken}"


def _language(spoken: Language) -> Item:
    """Its text is the same in every language; the environment may leave no choice."""
    return Item(
        language_action(spoken),
        LANGUAGES[spoken],
        enabled=lambda session: language.asked_for() is None,
        checked=lambda session: language.current() is spoken,
    )


FILE: Final = Menu(
    "fileMenu",
    N_("&File"),
    (
        Item("openFolderAction", N_("&Open a folder of images…"), (Key.Open,), is_idle),
        Item("openArchiveAction", N_("Open an &archive of images…"), enabled=is_idle),
        Menu("recentMenu", N_("Open &recent")),
        Item("drawSamplesAction", N_("Draw &sample flowers"), enabled=is_idle),
        None,
        Item("openPhotosAction", N_("&Classify images…"), ("Ctrl+Shift+O",)),
        Item("saveNowAction", N_("Save a c&heckpoint now"), (Key.Save,),
             _can_save),
        None,
        Item("closeAction", N_("Close &window"), (Key.Close, "Ctrl+W"), everywhere=True),
        Item("quitAction", N_("&Quit"), (Key.Quit, "Ctrl+Q"), role=Role.QuitRole, everywhere=True),
    ),
)  # fmt: skip

EDIT: Final = Menu(
    "editMenu",
    N_("&Edit"),
    (
        Item("undoAction", N_("&Undo"), (Key.Undo, "Ctrl+Z")),
        Item("redoAction", N_("&Redo"), (Key.Redo, "Ctrl+Shift+Z")),
        None,
        Item("pasteAction", N_("&Paste an image"), (Key.Paste,)),
        None,
        Item("settingsAction", N_("&Settings…"), (Key.Preferences, "Ctrl+,"),
             role=Role.PreferencesRole, everywhere=True),
    ),
)  # fmt: skip

VIEW: Final = Menu(
    "viewMenu",
    N_("&View"),
    (
        Menu(
            "themeMenu",
            N_("&Theme"),
            (
                Item("themeSystemAction", N_("Like the &system")),
                Item("themeLightAction", N_("&Light")),
                Item("themeDarkAction", N_("&Dark")),
            ),
        ),
        Menu("languageMenu", N_("&Language"), tuple(map(_language, Language))),
        Item("zoomInAction", N_("Zoom &in"), (Key.ZoomIn, "Ctrl++", "Ctrl+="), everywhere=True),
        Item("zoomOutAction", N_("Zoom &out"), (Key.ZoomOut, "Ctrl+-"), everywhere=True),
        Item("zoomResetAction", N_("&Actual size"), ("Ctrl+0",), everywhere=True),
        None,
        Item("leftColumnAction", N_("L&eft column"), ("F9",)),
        Item("rightColumnAction", N_("&Right column"), ("Shift+F9",)),
        None,
        Menu(
            "curvesMenu",
            N_("&Curves"),
            (
                Item("followAllAction", N_("&All steps")),
                Item("followThousandAction", N_("Last &1,000 steps")),
                Item("followFewAction", N_("Last &200 steps")),
            ),
        ),
        None,
        Item("fullScreenAction", N_("&Full screen"), (Key.FullScreen, "F11")),
    ),
)

RUN: Final = Menu(
    "runMenu",
    N_("&Run"),
    (
        Item("startAction", N_("&Start"), ("Ctrl+Return", "Ctrl+Enter"), _may_start,
             texts=_start_text),
        Item("pauseAction", N_("&Pause"), ("Ctrl+P",), _may_pause, texts=_pause_text),
        Item("stopAction", N_("S&top"), ("Ctrl+.",), _can_stop, texts=_stop_text),
        None,
        Item("resumeLastAction", N_("&Resume the newest run"), ("Ctrl+R",), _may_resume),
        Item("watchAction", N_("&Watch a run…"), ("Ctrl+Shift+W",), _may_watch,
             texts=_watch_text),
        Item("runElsewhereAction", N_("Run &elsewhere…"), enabled=may_run_elsewhere),
        Menu(
            "modeMenu",
            N_("Start &from"),
            (
                _mode("scratchAction", Mode.SCRATCH, N_("&Scratch")),
                _mode("resumeAction", Mode.RESUME, N_("&Resume")),
                _mode("transferAction", Mode.TRANSFER, N_("&Transfer")),
            ),
        ),
        Menu(
            "presetMenu",
            N_("&Hyperparameters"),
            (
                _preset("recommendedAction", "recommended", N_("&Recommended")),
                _preset("tutorialAction", "tutorial", N_("&Tutorial")),
            ),
        ),
        Item("speedupAction", N_("Take faster settin&gs"), enabled=_is_quicker),
    ),
)  # fmt: skip

TOOLS: Final = Menu(
    "toolsMenu",
    N_("&Tools"),
    (
        Item("runsAction", N_("Compare &runs…"), ("Ctrl+Shift+R",)),
        Item("evaluationAction", N_("&Evaluation…"), ("Ctrl+E",), _predicts),
        Item("predictFolderAction", N_("Classify man&y images…"), ("Ctrl+Shift+M",), _predicts),
        None,
        Item("networksAction", N_("&Compare networks…"), enabled=_has_dataset),
        Item(
            "confidenceAction", N_("How sure, and &would more images help?"), enabled=_has_dataset
        ),
        Item("networkAction", N_("Show &network")),
        None,
        Item("messagesAction", N_("&Messages")),
        Item("modelsFolderAction", N_("Open the &folder of runs")),
        Item("clearCacheAction", N_("C&lear the image cache…")),
    ),
)

HELP: Final = Menu(
    "helpMenu",
    N_("&Help"),
    (
        Item("guideAction", N_("&Guide"), (Key.HelpContents, "F1"), everywhere=True),
        None,
        Item("diagnosticsAction", N_("&Copy diagnostics")),
        Item("aboutAction", N_("&About Flowergui"), role=Role.AboutRole),
    ),
)

MENUS: Final = (FILE, EDIT, VIEW, RUN, TOOLS, HELP)
"""The menu bar, from the left."""
