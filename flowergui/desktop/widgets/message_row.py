"""One message as the banner shows it: sign, text, a button to act and one to dismiss."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from flowergui.desktop.accessibility import announce, set_role
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.message_log import KIND_NAMES, SIGNS, MessageKind
from flowergui.text import tr

MAX_ACTION_SHARE = 1 / 3
"""How much of a row's width the button that acts may take; a wider one stands below the text."""


class MessageRow(QFrame):
    """Shows one message after another; the banner says which, and what its buttons do."""

    acted = Signal()
    """The button that acts on the message was pressed."""
    dismissed = Signal()
    """The close button was pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        set_role(self, QAccessible.Role.AlertMessage)
        self._kind = MessageKind.INFO
        self._sign = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)  # file names may hold anything
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._action = QPushButton()
        self._action.clicked.connect(self.acted)
        self._dismiss = QPushButton("✕")
        self._dismiss.setAccessibleName(tr("Dismiss the message"))
        self._dismiss.setToolTip(tr("Dismiss"))
        self._dismiss.clicked.connect(self.dismissed)
        theme.style(self._dismiss, role="quiet")
        theme.style(self._sign, role="heading")
        for widget, name in (
            (self._sign, "bannerSign"),
            (self._text, "bannerText"),
            (self._action, "bannerAction"),
            (self._dismiss, "bannerDismiss"),
        ):
            widget.setObjectName(name)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 5, 5, 5)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignVCenter)
        self._words = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._words.setSpacing(theme.SPACE)
        self._words.addWidget(self._text, 1)
        self._words.addWidget(self._action, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(self._words, 1)
        layout.addWidget(self._dismiss, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_message(self, kind: MessageKind, text: str, action: str = "") -> None:
        """Shows a message; with an `action`, a button of that text."""
        # A press that was meant for another message is none for this one.
        for button in (self._action, self._dismiss):
            button.setDown(False)
            button.clearFocus()
        self._kind = kind
        self._sign.setText(SIGNS[kind])
        self._sign.setAccessibleName(tr(KIND_NAMES[kind]))
        self._text.setText(text)
        self._text.setAccessibleName(text)
        self.setAccessibleName(text)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        for widget in (self, self._sign):  # the colour of the sign follows from the row's kind
            theme.style(widget, kind=kind.value)
        self.show()

    def fit(self, room: QSize) -> int:
        """Arranges text and button for a row as wide as `room`, and gives the height that it needs,
        in pixels. Where there is less, its text is cut at the end."""
        below = self._action.sizeHint().width() > room.width() * MAX_ACTION_SHARE
        self._words.setDirection(
            QBoxLayout.Direction.TopToBottom if below else QBoxLayout.Direction.LeftToRight
        )
        needed = max(self.heightForWidth(room.width()), self.minimumSizeHint().height())
        align = Qt.AlignmentFlag
        side = align.AlignTop if needed > room.height() else align.AlignVCenter
        self._text.setAlignment(align.AlignLeft | side)
        return needed

    def announce(self) -> None:
        """Has screen readers read the message, wherever the focus is. An error interrupts them."""
        announce(self, self._text.text(), urgent=self._kind is MessageKind.ERROR)

    def tab_after(self, above: "MessageRow") -> None:
        """The Tab key comes here from the row above."""
        QWidget.setTabOrder(above._dismiss, self._action)
        QWidget.setTabOrder(self._action, self._dismiss)
