"""How far a run is, on the program's icon in the dock or in the taskbar.

macOS is left out: its dock draws what a program draws over its icon, which takes pyobjc.
"""

import logging
import os
import sys
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

log = logging.getLogger(__name__)

APP_URI = "application://flowergui.desktop"
"""The program's entry in the menu of the desktop, whose icon it is."""
INTERFACE = "com.canonical.Unity.LauncherEntry"
"""The signal that the docks of Ubuntu, KDE, elementary and others listen to."""
PATH = "/com/canonical/unity/launcherentry/flowergui"
PERCENT = 100

CLSID_TASKBAR_LIST = "{56FDF344-FD6D-11D0-958A-006097C9A090}"
IID_TASKBAR_LIST_3 = "{EA1AFB91-9E28-4B86-90E9-9E9F8A5EEFAF}"
RELEASE, HR_INIT, SET_PROGRESS_VALUE, SET_PROGRESS_STATE = 2, 3, 9, 10
"""Places of the methods of ITaskbarList3 in its table."""
NO_PROGRESS, IN_PROGRESS = 0, 2
"""States of its progress: TBPF_NOPROGRESS and TBPF_NORMAL."""
CLSCTX_INPROC_SERVER = 1


class TaskbarProgress(QObject):
    """Shows a run's progress on the icon of `window`'s program, where the desktop can. It costs
    nothing where it can't, and never fails."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._shown: int | None = None

    def show_share(self, share: float | None) -> None:
        """Shows which share of the run is done, from 0 to 1; None for no run."""
        percent = None if share is None else round(PERCENT * min(max(share, 0.0), 1.0))
        if percent == self._shown:
            return
        self._shown = percent
        if sys.platform == "win32":
            _show_on_windows(int(self._window.winId()), percent)
        elif sys.platform != "darwin" and has_session_bus():
            _send(percent)


def has_session_bus() -> bool:
    """Whether there is a session bus already: to ask for one could start it."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    found = runtime is not None and os.path.exists(os.path.join(runtime, "bus"))
    return found or "DBUS_SESSION_BUS_ADDRESS" in os.environ


def _send(percent: int | None) -> None:
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return
    message = QDBusMessage.createSignal(PATH, INTERFACE, "Update")
    progress = {"progress": (percent or 0) / PERCENT, "progress-visible": percent is not None}
    message.setArguments([APP_URI, progress])
    bus.send(message)


def _show_on_windows(window: int, percent: int | None) -> None:
    """Untested. `window` is the handle of the window whose button in the taskbar it is. The thread
    of the window has COM initialized by Qt."""
    import ctypes
    from uuid import UUID

    windows: Any = ctypes  # parts of it are only there

    def guid(text: str) -> Any:
        return ctypes.create_string_buffer(UUID(text).bytes_le, 16)

    def method(place: int, *types: Any) -> Any:
        table = ctypes.cast(taskbar, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
        kind = windows.WINFUNCTYPE(ctypes.c_long, ctypes.c_void_p, *types)
        return kind(table[place])

    taskbar = ctypes.c_void_p()
    try:
        failed = windows.windll.ole32.CoCreateInstance(
            guid(CLSID_TASKBAR_LIST),
            None,
            CLSCTX_INPROC_SERVER,
            guid(IID_TASKBAR_LIST_3),
            ctypes.byref(taskbar),
        )
        if failed or not taskbar:
            return
        method(HR_INIT)(taskbar)
        state = NO_PROGRESS if percent is None else IN_PROGRESS
        method(SET_PROGRESS_STATE, ctypes.c_void_p, ctypes.c_int)(taskbar, window, state)
        if percent is not None:
            value = method(
                SET_PROGRESS_VALUE, *(ctypes.c_void_p, ctypes.c_ulonglong, ctypes.c_ulonglong)
            )
            value(taskbar, window, percent, PERCENT)
        method(RELEASE)(taskbar)
    except OSError:
        log.info("The taskbar shows no progress.", exc_info=True)
