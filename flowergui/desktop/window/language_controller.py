"""Changes the language of the window, which is made anew in the other one."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QCoreApplication,
    QLibraryInfo,
    QLocale,
    QObject,
    QSettings,
    QTimer,
    QTranslator,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont, QFontInfo, QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from flowergui import language
from flowergui.desktop.preferences.preferences import LANGUAGE_KEY
from flowergui.desktop.session import RunState, Session, Store
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.confirm import confirm
from flowergui.language import NAMES, Language
from flowergui.text import sentences, tr

CHINESE_FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC")
"""What characters that the system's font lacks are taken from: where the system is not Chinese, it
would be a Japanese font, in which many look different."""

QUESTION = "languageQuestion"
CAN_CHANGE = (RunState.IDLE, RunState.RUNNING, RunState.PAUSED)
"""The states of a run in which it can be handed over to another window."""


def system_language() -> Language:
    """The first of the system's languages that the program speaks."""
    return language.preferred(QLocale.system().uiLanguages())


def speak(wanted: Language) -> None:
    """The program speaks this language from now on, and Qt does: dialogs, context menus. Windows
    that are there do not change."""
    language.use(wanted)
    font = QGuiApplication.font()
    QFont.removeSubstitutions(font.family())
    if wanted is Language.SIMPLIFIED_CHINESE:
        # The font itself comes first: "Sans Serif" is none, and would be replaced altogether.
        fonts = [QFontInfo(font).family(), *CHINESE_FONTS]
        QFont.insertSubstitutions(font.family(), fonts)
    app = QCoreApplication.instance()
    assert app is not None
    for before in app.findChildren(QTranslator):
        app.removeTranslator(before)
        before.deleteLater()
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{wanted}", folder):
        app.installTranslator(translator)


class LanguageController(QObject):
    """Keeps the user's choice. A run is not interrupted, the other window goes on with it; one that
    is about to pause or to end does so first. Where something would be lost with this window, the
    user is asked."""

    due = Signal(object)
    """The window is to be made anew in this Language."""

    def __init__(
        self,
        store: Store,
        settings: QSettings,
        banner: Banner,
        warnings: Callable[[], Sequence[str]],
        window: QWidget,
    ) -> None:
        """`warnings` says what would be lost with the window now, in sentences."""
        super().__init__(window)
        self._store, self._settings, self._banner = store, settings, banner
        self._warnings, self._window = warnings, window
        self._waiting: Language | None = None
        store.changed.connect(self._follow)

    @Slot(object)
    def choose(self, wanted: Language | None) -> None:
        """The user wants this language, None for the system's, now and at the next start."""
        if wanted is None:
            self._settings.remove(LANGUAGE_KEY)
            wanted = system_language()
        else:
            self._settings.setValue(LANGUAGE_KEY, str(wanted))
        self._waiting = None
        for question in self._window.findChildren(QMessageBox, QUESTION):
            question.close()  # about another wish
        if wanted is language.current():
            return
        session = self._store.session
        if session.run in CAN_CHANGE:
            self._ask(wanted)
            return
        self._waiting = wanted
        if session.run is not RunState.PAUSING:
            self._banner.show_note(
                tr(
                    "The language changes to {language} when the run has ended.",
                    language=NAMES[wanted],
                )
            )

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        if self._waiting and after.run in CAN_CHANGE:
            QTimer.singleShot(0, self, self._change)  # others still hear of it

    @Slot()
    def _change(self) -> None:
        if self._waiting and self._store.session.run in CAN_CHANGE:
            wanted, self._waiting = self._waiting, None
            self._ask(wanted)

    def _ask(self, wanted: Language) -> None:
        """Changes the language, unless the user does not want what that would stop."""
        warnings = self._warnings()
        if not warnings:
            self.due.emit(wanted)
            return
        confirm(
            self._window,
            QUESTION,
            tr("Change the language now?"),
            sentences(*warnings, tr("Otherwise it changes when the program starts next time.")),
            (QMessageBox.StandardButton.Yes, tr("Change now")),
            lambda: self._change_to(wanted),
        )

    def _change_to(self, wanted: Language) -> None:
        if self._store.session.run in CAN_CHANGE:
            self.due.emit(wanted)
        else:
            self._waiting = wanted
