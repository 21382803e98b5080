"""Qt's own messages: printed as Qt does, and the serious ones logged."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QMessageLogContext, QtMsgType, qFormatLogMessage, qInstallMessageHandler

log = logging.getLogger(__name__)


@contextmanager
def logged() -> Iterator[None]:
    """While it holds, what Qt calls critical or fatal is logged too: it may be the last that is
    heard of the process."""
    before = qInstallMessageHandler(_handle)
    try:
        yield
    finally:
        qInstallMessageHandler(before)  # a handler in Python must not outlive it


def _handle(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    if kind in (QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
        log.error("Qt: %s", text)
    elif sys.stderr is not None:
        print(qFormatLogMessage(kind, context, text), file=sys.stderr)
