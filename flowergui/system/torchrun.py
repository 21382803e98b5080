"""What torchrun tells the processes that it starts, in environment variables. No torch here.

Source: docs.pytorch.org/docs/stable/elastic/run.html, "Environment Variables".
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from flowergui.facts import Job

NO_ID: Final = "none"
"""What some versions of torchrun call a job without --rdzv-id; others choose a UUID."""

ID_LENGTH: Final = 8
"""Characters of a UUID that are kept."""

_NEEDED: Final = frozenset({"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"})


def started_by_torchrun() -> bool:
    """Whether this process is one of a job."""
    return os.environ.keys() >= _NEEDED


def is_main_process() -> bool:
    """Whether this process is rank 0 of its job, or alone: the one that reports to the user."""
    return not started_by_torchrun() or os.environ["RANK"] == "0"


def has_other_processes() -> bool:
    """Whether this process trains together with others."""
    return started_by_torchrun() and os.environ["WORLD_SIZE"] != "1"


def processes_on_this_machine() -> int:
    """How many processes of the job share this machine's cores; 1 outside of torchrun."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1)) if started_by_torchrun() else 1


def job(environment: Mapping[str, str] | None = None) -> Job | None:
    """The job of this process; None outside of torchrun."""
    known = os.environ if environment is None else environment
    if not (name := known.get("TORCHELASTIC_RUN_ID", "")):
        return None
    with suppress(ValueError):
        return Job(id=UUID(name).hex[:ID_LENGTH])  # chosen by torchrun
    if name != NO_ID:
        return Job(name)
    errors = Path(known.get("TORCHELASTIC_ERROR_FILE", ""))  # in a folder like none_x1y2z3
    found = [each.name for each in errors.parents if each.name.startswith(f"{NO_ID}_")]
    return Job(id=found[0].removeprefix(f"{NO_ID}_")) if found else None


def record_error(error: Exception) -> None:
    """Writes an error where torchrun looks for the first one of a job, as its decorator `record`
    does. Does nothing outside of torchrun."""
    if started_by_torchrun() and os.environ.get("TORCHELASTIC_ERROR_FILE"):
        from torch.distributed.elastic.multiprocessing.errors import get_error_handler

        with suppress(OSError):
            get_error_handler().record_exception(error)
