"""Keeps the computer awake while a run goes on: who trains overnight shall not find it asleep."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

log = logging.getLogger(__name__)


@contextmanager
def keep_awake() -> Iterator[None]:
    """While it lasts the computer does not fall asleep by itself, where the system can be asked
    for that (Windows, macOS, desktops with D-Bus). The screen may go dark. A closed lid and an
    empty battery are stronger. Where it can't be had, nothing is said: nothing is lost by it."""
    from wakepy import keep  # here, for it takes a tenth of a second

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
            log.info("The wish to stay awake can't be taken back", exc_info=True)
