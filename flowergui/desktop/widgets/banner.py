"""The one line in which the window speaks to the user."""

import re
from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from flowergui.desktop.style import theme
from flowergui.errors import FlowerError

OPTIONS = re.compile(r" \(--[^)]*\)")
"""What a hint tells users of the command line, where they would say it."""

SIGNS = {"info": "ℹ", "warning": "!", "error": "✕", "success": "✓"}


class Banner(QFrame):
    """One message at a time, the newest; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._then: Callable[[], None] | None = None
        self._passing = False
        self._sign = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)  # file names may hold anything
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._action = QPushButton()
        self._action.clicked.connect(self._act)
        dismiss = QPushButton("✕")
        dismiss.setAccessibleName("Dismiss the message")
        dismiss.setToolTip("Dismiss")
        dismiss.clicked.connect(self.clear)
        theme.style(dismiss, role="quiet")
        theme.style(self._sign, role="heading")
        for widget, name in (
            (self._sign, "bannerSign"),
            (self._text, "bannerText"),
            (self._action, "bannerAction"),
            (dismiss, "bannerDismiss"),
        ):
            widget.setObjectName(name)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(self._sign)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._action)
        layout.addWidget(dismiss)
        self.clear()

    @property
    def text(self) -> str:
        """What it says now; empty while it is hidden."""
        return str(self._text.text())

    @property
    def kind(self) -> str:
        """info, warning, error or success."""
        return str(self.property("kind"))

    @Slot(object)
    def show_error(self, error: FlowerError | str, hint: str = "") -> None:
        """What went wrong and what to do."""
        text = str(error) if isinstance(error, FlowerError) else f"{error} {hint}".strip()
        self._say("error", OPTIONS.sub("", text))

    @Slot(str)
    def show_warning(self, text: str) -> None:
        """Something that should be seen to, though nothing stopped."""
        self._say("warning", text)

    @Slot(str)
    def refuse(self, text: str) -> None:
        """Why something can't be; until something else is wished, see `take_back`."""
        self._say("warning", text)
        self._passing = True

    def take_back(self) -> None:
        """Something else is wished: what was refused is not said any more, nor what passes."""
        if self._passing:
            self.clear()

    @Slot(str)
    def show_note(self, text: str) -> None:
        """Something good to know."""
        self._say("info", text)

    @Slot(str)
    def show_success(self, text: str) -> None:
        """Something was done."""
        self._say("success", text)

    def offer(
        self,
        text: str,
        button_text: str,
        callback: Callable[[], None],
        kind: str = "info",
        *,
        passing: bool = False,
    ) -> None:
        """A message with a button; `callback` is called when it is pressed, and the message
        goes. A warning refuses what was wished, and offers something else; it passes with the
        next wish (see `take_back`), as does what is said to be `passing`."""
        self._say(kind, text, button_text)
        self._then, self._passing = callback, passing or kind == "warning"

    @Slot()
    def clear(self) -> None:
        """Says nothing and hides."""
        self._then, self._passing = None, False
        self._text.clear()
        self.hide()

    def _say(self, kind: str, text: str, button_text: str = "") -> None:
        self._then, self._passing = None, False
        self._action.hide()
        self._action.setDown(False)  # a press that was meant for another offer is none for this one
        self._action.setText(button_text)
        self._action.setVisible(bool(button_text))  # while the banner is hidden, it costs no layout
        self._sign.setText(SIGNS[kind])
        self._text.setText(text)
        self._text.setAccessibleName(text)
        theme.style(self, kind=kind)
        theme.style(self._sign)
        self.setVisible(bool(text))

    @Slot()
    def _act(self) -> None:
        then = self._then
        self.clear()
        if then is not None:
            then()
