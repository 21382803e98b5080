"""Loads torch in the background while the user looks at the window."""

from collections.abc import Iterator

from flowergui import tasks
from flowergui.events import Event
from flowergui.system.tuning import torch_loading


def load() -> Iterator[Event]:
    """The events of `tasks.list_models`, whose first call imports torch, which takes seconds."""
    with torch_loading():
        yield from tasks.list_models()
