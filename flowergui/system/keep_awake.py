"""Keeps the computer awake during a run."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

log = logging.getLogger(__name__)


@contextmanager
def keep_awake() -> Iterator[None]:
    """Prevents automatic sleep, on Windows, macOS, and desktops with D-Bus. The screen may turn
    off; a closed lid or an empty battery still suspends. If the system refuses, it is logged."""
    from wakepy import keep  # imported here because it takes a tenth of a second

    asked = ExitStack()
    try:
        asked.enter_context(keep.running(on_fail="pass"))
    except Exception:
        log.info("The computer can't be kept awake", exc_info=True)
    try:
        yield
    finally:
        try:
            asked.close()
        except Exception:
            log.info("The request to stay awake can't be withdrawn", exc_info=True)
