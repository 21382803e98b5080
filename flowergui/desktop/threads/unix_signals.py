"""The signals that ask the program to end, as a Qt signal."""

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

from flowergui.system.end_signals import end_signals


class EndSignals(QObject):
    """Emits `asked` in Qt's event loop. Python's handlers alone would wait there until something
    else happens: so the system writes each signal's number into a socket that Qt watches."""

    asked = Signal()
    """The program is asked to end."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._before = {number: signal.signal(number, lambda *_: None) for number in end_signals()}
        self._fd_before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._heard)

    def close(self) -> None:
        """Restores the handlers that were there before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._read.close()
        self._write.close()

    @Slot()
    def _heard(self) -> None:
        numbers = self._read.recv(64)
        if any(number in self._before for number in numbers):
            self.asked.emit()
