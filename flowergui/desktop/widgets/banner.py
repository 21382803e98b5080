"""The messages of the window: a stack of the newest, and a log of all."""

from collections.abc import Callable
from functools import partial
from itertools import accumulate, pairwise

from PySide6.QtCore import QEvent, QMargins, QObject, QSize, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from flowergui.desktop.widgets.labels import quiet_button
from flowergui.desktop.widgets.message_log import MessageKind, MessageLog, MessageLogWindow
from flowergui.desktop.widgets.message_row import MessageRow
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.errors import FlowerError
from flowergui.text import sentences, tr, trn

VISIBLE_MESSAGES = 3
"""Messages that are seen at once; a line below them counts the others."""
MARGIN = 8
"""Pixels between a message and the edges of what it stands over."""
MAX_MESSAGES = 50
"""Messages that wait to be dismissed; the oldest go first. The log keeps more."""


class Message:
    """A message that is shown until it is dismissed: by the user, or by whoever showed it."""

    def __init__(
        self,
        banner: "Banner",
        kind: MessageKind,
        text: str,
        action: str = "",
        callback: Callable[[], None] | None = None,
        *,
        passing: bool = False,
    ) -> None:
        self.kind, self.text, self.action = kind, text, action
        self.callback, self.passing = callback, passing
        self._banner = banner

    def dismiss(self) -> None:
        """Takes the message away: its cause is gone. A second time, nothing happens."""
        self._banner.dismiss(self)


class Banner(QFrame):
    """A stack of messages, newest on top; hidden while there are none.

    Each `show_...` returns a handle, so that a message can go when its cause is gone. A message
    that is shown again while it is still there moves to the top instead of standing twice.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.log = MessageLog(self)
        self._messages: list[Message] = []  # oldest first
        self._rows: dict[MessageRow, Message | None] = {}
        self._seen: list[MessageRow] = []  # those of the newest messages, newest first
        self._below: QWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self._layout.addWidget(self._make_footer())
        self.hide()

    def _make_footer(self) -> QWidget:
        self._footer = QWidget(self)
        self._more = quiet_button("", "moreMessagesButton", flush=True)
        self._more.setToolTip(tr("Shows all messages of this session, with their times."))
        self._more.clicked.connect(self.show_log)
        dismiss_all = quiet_button(tr("Dismiss all"), "dismissAllButton")
        dismiss_all.clicked.connect(self.clear)
        row = QHBoxLayout(self._footer)
        row.setContentsMargins(12, 0, 0, 0)
        row.addWidget(self._more)
        row.addStretch(1)
        row.addWidget(dismiss_all)
        return self._footer

    def float_over(self, widget: QWidget) -> None:
        """Messages stand over the lower edge of `widget`, a sibling of this one, and move nothing
        when they come or go."""
        self._below = widget
        widget.installEventFilter(self)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._place()
        return handled

    def _place(self) -> None:
        if self._below is None:
            return
        room = self._below.geometry().adjusted(MARGIN, 0, -MARGIN, -MARGIN)
        self._show_rows_within(room.size())
        needed = self._layout.totalHeightForWidth(room.width())
        needed = max(needed, self._layout.totalMinimumSize().height())
        room.setTop(max(room.top(), room.bottom() - needed + 1))
        self.setGeometry(room)
        self.raise_()

    def _show_rows_within(self, room: QSize) -> None:
        """Shows as many of the newest messages as `room` has place for, at least one."""
        spacing = self._layout.spacing()
        room = room.shrunkBy(QMargins(0, 0, 0, self._footer.sizeHint().height() + spacing))
        heights = [row.fit(room) for row in self._seen]
        tops = accumulate(height + spacing for height in heights)
        fitting = sum(top - spacing <= room.height() for top in tops)
        self._show_rows(max(1, fitting), cut=fitting == 0)

    def _show_rows(self, count: int, *, cut: bool = False) -> None:
        """Shows so many of the newest messages, and below them where to find the others, or the
        whole text of one that is `cut`."""
        for place, row in enumerate(self._seen):
            row.setVisible(place < count)
        more = len(self._messages) - count
        self._more.setText(
            trn("and {count} more message ▸", "and {count} more messages ▸", more)
            if more > 0
            else tr("All messages ▸")
        )
        self._footer.setVisible(cut or len(self._messages) > 1)

    # --- what is shown --------------------------------------------------------------------

    @property
    def messages(self) -> tuple[Message, ...]:
        """All that were not dismissed, newest first."""
        return tuple(reversed(self._messages))

    @property
    def text(self) -> str:
        """The text of the newest message; empty where there is none."""
        return self._messages[-1].text if self._messages else ""

    @property
    def kind(self) -> str:
        """The kind of the newest message: info, warning, error or success; "" where there is
        none."""
        return self._messages[-1].kind.value if self._messages else ""

    # --- showing --------------------------------------------------------------------------

    @Slot(object)
    def show_error(self, error: FlowerError | str, hint: str = "") -> Message:
        """Shows what went wrong and what to do."""
        text = str(error) if isinstance(error, FlowerError) else sentences(error, hint)
        return self._add(Message(self, MessageKind.ERROR, text))

    @Slot(str)
    def show_warning(self, text: str) -> Message:
        """Shows something that the user should look at, though nothing stopped."""
        return self._add(Message(self, MessageKind.WARNING, text))

    @Slot(str)
    def refuse(self, text: str) -> Message:
        """Shows why something can't be done. It goes with the next request, see `take_back`."""
        return self._add(Message(self, MessageKind.WARNING, text, passing=True))

    @Slot(str)
    def show_note(self, text: str) -> Message:
        """Shows something that is good to know."""
        return self._add(Message(self, MessageKind.INFO, text))

    @Slot(str)
    def show_success(self, text: str) -> Message:
        """Shows that something was done."""
        return self._add(Message(self, MessageKind.SUCCESS, text))

    def offer(
        self,
        text: str,
        button_text: str,
        callback: Callable[[], None],
        kind: str = "info",
        *,
        passing: bool = False,
    ) -> Message:
        """Shows a message with a button. When it is pressed, the message goes and `callback` is
        called. A warning refuses a request and offers something else: it goes with the next
        request (see `take_back`), as do messages that are `passing`."""
        passing = passing or kind == MessageKind.WARNING
        message = Message(self, MessageKind(kind), text, button_text, callback, passing=passing)
        return self._add(message)

    # --- taking away ----------------------------------------------------------------------

    def dismiss(self, message: Message) -> None:
        """Takes one message away; nothing happens where it has gone already."""
        if message in self._messages:
            self._messages.remove(message)
            self._arrange()

    @Slot()
    def dismiss_newest(self) -> None:
        """Takes the newest message away, as Escape does."""
        if self._messages:
            self.dismiss(self._messages[-1])

    @Slot()
    def take_back(self) -> None:
        """Takes away what was refused, and other messages that pass with the next request."""
        self._messages = [message for message in self._messages if not message.passing]
        self._arrange()

    @Slot()
    def clear(self) -> None:
        """Takes all messages away; the log keeps them."""
        self._messages.clear()
        self._arrange()

    @Slot()
    def show_log(self) -> None:
        """Opens the window with all messages of this session."""
        window = self.window()
        bring_to_front(window.findChild(MessageLogWindow) or MessageLogWindow(self.log, window))

    # --- how ------------------------------------------------------------------------------

    def _add(self, message: Message) -> Message:
        if not message.text:
            return message
        self.log.add(message.kind, message.text)
        same = (message.kind, message.text)
        self._messages = [each for each in self._messages if (each.kind, each.text) != same]
        self._messages = [*self._messages, message][-MAX_MESSAGES:]
        self._arrange()
        return message

    def _arrange(self) -> None:
        """Gives each of the newest messages a row of its own, which it keeps while it is seen."""
        seen = self.messages[:VISIBLE_MESSAGES]
        for row, shown in self._rows.items():
            if shown not in seen:
                self._rows[row] = None
        self._seen = rows = [self._row_of(message) for message in seen]
        for row, shown in self._rows.items():
            if shown is None:
                row.hide()
        for position, row in enumerate(rows):
            if self._layout.indexOf(row) != position:
                self._layout.insertWidget(position, row)
        for above, below in pairwise(rows):
            below.tab_after(above)
        for row in reversed(rows):
            row.lower()  # findChild and screen readers meet the newest first
        self._show_rows(VISIBLE_MESSAGES)
        self.setVisible(bool(self._messages))
        self._place()

    def _row_of(self, message: Message) -> MessageRow:
        for row, shown in self._rows.items():
            if shown is message:
                return row
        free = [row for row, shown in self._rows.items() if shown is None]
        row = free[0] if free else self._make_row()
        self._rows[row] = message
        row.show_message(message.kind, message.text, message.action)
        row.announce()
        return row

    def _make_row(self) -> MessageRow:
        row = MessageRow(self)
        row.acted.connect(partial(self._act, row))
        row.dismissed.connect(partial(self._dismiss_row, row))
        return row

    def _dismiss_row(self, row: MessageRow) -> None:
        if message := self._rows[row]:
            self.dismiss(message)

    def _act(self, row: MessageRow) -> None:
        if message := self._rows[row]:
            self.dismiss(message)
            if message.callback is not None:
                message.callback()
