"""Has a folder written that trains the present settings on a cluster."""

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSettings, Slot
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.config.recipe import Recipe
from flowergui.desktop.cluster_job.job_dialog import JobDialog
from flowergui.desktop.session import Store, may_run_elsewhere
from flowergui.desktop.settings.recipe_form import RecipeForm
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.transitions import new_run_recipe
from flowergui.desktop.widgets.banner import Banner, Message
from flowergui.desktop.widgets.file_manager import show_folder
from flowergui.desktop.widgets.windows import bring_to_front
from flowergui.events import JobWritten
from flowergui.requests import DEFAULT_JOB, JobOptions
from flowergui.text import tr

WRITE = "write a job"
KEY = "clusterJob"
"""The group of the options in the settings file."""


class JobController(QObject):
    """Asks what the job gets, and writes it in a thread: all images are listed for the split."""

    def __init__(
        self,
        store: Store,
        form: RecipeForm,
        jobs: Jobs,
        settings: QSettings,
        banner: Banner,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._store, self._form, self._jobs = store, form, jobs
        self._settings, self._banner, self._window = settings, banner, window
        self._progress: Message | None = None

    @Slot()
    def open(self) -> None:
        """Shows the dialog, for the settings as they are."""
        self._form.finish_typing()
        if not may_run_elsewhere(self._store.session):
            return
        dialog = self._window.findChild(JobDialog)
        if dialog is None:
            dialog = JobDialog(_stored(self._settings), self._window)
            dialog.job_requested.connect(self._write)
        bring_to_front(dialog)

    @Slot(object, str)
    def _write(self, options: JobOptions, parent: str) -> None:
        if not may_run_elsewhere(self._store.session):  # any more
            self._banner.refuse(
                tr("A job begins a new run: choose Scratch or Transfer, and watch no other run.")
            )
            return
        for name, value in asdict(options).items():
            self._settings.setValue(f"{KEY}/{name}", value)
        recipe = new_run_recipe(self._store.session)
        self._progress = self._banner.show_note(tr("Writing the job…"))
        self._jobs.do(
            WRITE,
            lambda: write_below(recipe, parent, options),
            self._written,
            self._failed,
            warning=tr("The files of a job are being written; this would be stopped."),
        )

    @Slot(object)
    def _written(self, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, JobWritten):
                self._offer(event.folder)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self._end_progress()
        self._jobs.report(error)

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._banner.dismiss(self._progress)

    def _offer(self, folder: str) -> None:
        self._end_progress()
        self._banner.offer(
            tr("The job is in {folder}. README.md there says how it is started.", folder=folder),
            tr("Show the folder"),
            lambda: self._show(folder),
            kind="success",
        )

    def _show(self, folder: str) -> None:
        if problem := show_folder(folder):
            self._banner.refuse(problem)


def write_below(recipe: Recipe, parent: str, options: JobOptions) -> Iterator[Any]:
    """Writes a job into a new folder below `parent`, which is named after the dataset."""
    stem = f"job_{Path(recipe.photos).name}"
    names = (stem, *(f"{stem}_{count}" for count in range(2, 1_000)))
    folder = next(path for name in names if not os.path.lexists(path := Path(parent, name)))
    yield from tasks.write_job(recipe, folder, options)


def _stored(settings: QSettings) -> JobOptions:
    """The options of the last job; the file may hold anything."""
    values: dict[str, Any] = asdict(DEFAULT_JOB)
    for name, usual in values.items():
        stored = settings.value(f"{KEY}/{name}")
        if isinstance(usual, str):
            values[name] = stored if isinstance(stored, str) else usual
        elif str(stored).isdecimal():
            values[name] = int(str(stored))
    return JobOptions(**values)
