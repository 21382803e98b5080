"""A process of a run that several train: `torchrun ... -m flowergui.cli.torchrun_worker JOB`.

JOB is a JSON file: a `task` ("train" or "resume") and its arguments. Rank 0 pulls an event for each
line on stdin, which holds what is asked of the run, and prints it as a line on stdout; so the run
pauses when the process that reads does. If stdin ends, the run is saved and ends.
"""

import json
import os
import signal
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from flowergui import event_json, language, tasks
from flowergui.config.recipe import Recipe
from flowergui.errors import FlowerError
from flowergui.events import Event
from flowergui.requests import LiveRequests, ResumeOptions
from flowergui.system import torchrun, tuning
from flowergui.system.multi_process import FAILED


def main() -> int:
    """Trains. Returns the exit code."""
    tuning.tune_malloc()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that reads asks to stop
    os.environ.pop("TORCHELASTIC_RUN_ID", None)  # no job to be resumed: its run has a usual name
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    language.use(language.find(job["language"]) or language.Language.ENGLISH)
    live = LiveRequests()
    events = task(job, live)
    try:
        if torchrun.is_main_process():
            answer(events, live)
        else:
            for _ in events:
                pass
    except FlowerError as error:
        if torchrun.is_main_process():
            line = {"event": FAILED, "message": error.message, "hint": error.hint}
            print(json.dumps(line), flush=True)
        torchrun.record_error(error)
        return 1
    return 0


def task(job: Mapping[str, Any], live: LiveRequests) -> Iterator[Event]:
    """The events of the task that the job describes."""
    models = Path(job["models"])
    if job["task"] == "train":
        split = Path(job["split"]) if job["split"] else None
        return tasks.train(Recipe.from_dict(job["recipe"]), live, models, split)
    changes = {name: tuple(v) if isinstance(v, list) else v for name, v in job["changes"].items()}
    values = job["options"]
    options = ResumeOptions(**{**values, "renamed": tuple(map(tuple, values["renamed"]))})
    return tasks.resume(job["source"], live, changes, models, options)


def answer(events: Iterator[Event], live: LiveRequests) -> None:
    """Prints an event for each line of requests."""
    with closing(cast(Generator[Event, None, None], events)):  # if nobody reads, the run is saved
        for line in sys.stdin:
            apply(json.loads(line), live)
            if (event := next(events, None)) is None:
                return
            print(event_json.encoded(event), flush=True)


def apply(asked: Mapping[str, Any], live: LiveRequests) -> None:
    """Adds what is asked of the run."""
    for each in fields(LiveRequests):
        if each.name in asked:
            value = asked[each.name]
            setattr(live, each.name, tuple(value) if isinstance(value, list) else value)


if __name__ == "__main__":
    sys.exit(main())
