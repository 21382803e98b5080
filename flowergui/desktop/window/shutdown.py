"""Closing the window: a run is stopped and saved first, and other jobs are cancelled."""

import os

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from flowergui.desktop.session import RunState, Session, Store
from flowergui.desktop.threads import worker
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.threads.timers import single_shot_timer
from flowergui.desktop.training.training_controller import TrainingController
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.confirm import confirm
from flowergui.text import sentences, tr

QUESTION = "closeQuestion"
LAST_WAIT_MS = 300
"""Milliseconds that the first close waits for cancelled jobs to end; the window is blocked."""
RETRY_MS = 200
"""Milliseconds between the tries to close after that."""
JOB_LIMIT_MS = 2_000
"""Milliseconds of such tries after which the user need not wait any longer. A second close before
is no wish to: it may be a double click."""
RUN_LIMIT_MS = 20_000
"""Milliseconds that a run has to stop and save. After them it may hang in a system call."""
END_LIMIT_MS = 60_000
"""Milliseconds after which the program ends if nobody is asked; systems kill it after 90 s."""
LOGOUT_WAIT_MS = 30_000
"""Milliseconds that the end of a session is delayed, at most, until the run is saved."""


class Shutdown(QObject):
    """Says whether the window may close now, and closes it as soon as it may."""

    def __init__(
        self,
        store: Store,
        control: TrainingController,
        jobs: Jobs,
        banner: Banner,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        store.changed.connect(self._follow)
        self._control, self._jobs, self._banner, self._window = control, jobs, banner, window
        self._wanted = self._whatever_comes = self._waits = self._retries = False
        self._overdue = self._jobs_hang = self._leaves_jobs = False
        self._asks_nothing = False
        self._retry = single_shot_timer(self, RETRY_MS, self._try_again)
        self._job_limit = single_shot_timer(self, JOB_LIMIT_MS, self._offer_to_end)
        self._run_limit = single_shot_timer(self, RUN_LIMIT_MS, self._run_is_overdue)
        self._end_limit = single_shot_timer(self, END_LIMIT_MS, _end_program)

    def may(self) -> bool:
        """Whether nothing is under way any more. If a run is, or a job that would be missed, the
        user is asked first.

        Jobs are cancelled. While one has not ended, the window is disabled, and closes by itself
        when it has. A user who does not want to wait for it (a network drive may never answer)
        closes the window once more: that ends the program. Nothing is lost, no run goes then. A run
        that was to stop, and has not in RUN_LIMIT_MS, is no longer waited for either. Where the run
        was handed over to another window, nobody is asked, and jobs that hang are left to it.
        """
        if self._control.has_run:
            if self._overdue:
                _end_program()
            elif not self._wanted:
                self._ask(lost=self._control.state == RunState.UNSAVED)
            return False
        if self._jobs.warnings and not self._wanted and not self._asks_nothing:
            self._ask_about_jobs()
            return False
        self._asks_nothing = True  # cancelled jobs may take a while
        self._jobs.closed = True  # what ends is followed by nothing else
        if worker.end_all(0 if self._waits else LAST_WAIT_MS) or self._leaves_jobs:
            self._job_limit.stop()
            self._end_limit.stop()
            return True
        if self._jobs_hang and not self._retries:
            _end_program()
        if not self._waits:
            self._waits = True
            self._window.setEnabled(False)  # its jobs are cancelled, and no more would start
            self._job_limit.start(JOB_LIMIT_MS)
        self._retry.start()
        return False

    @Slot()
    def _offer_to_end(self) -> None:
        if self._control.handed_over:  # what hangs is not to keep the run from its next window
            self._leaves_jobs = True
            return
        self._jobs_hang = True
        self._banner.show_warning(
            tr(
                "A background task is still finishing. The window closes when it has; close "
                "it again to end the program now."
            )
        )

    @Slot()
    def _try_again(self) -> None:
        self._retries = True
        self._window.close()
        self._retries = False

    def ask_nothing(self) -> None:
        """The user knows what the end of the window stops."""
        self._asks_nothing = True

    def end(self) -> None:
        """Closes without a question, whatever comes; a run is stopped and, where that can be,
        saved first. A second time it is as a second close."""
        if self._whatever_comes:
            self._window.close()
            return
        self._whatever_comes = True
        self._end_limit.start()
        self._stop_and_close()

    def end_session(self) -> None:
        """If a run goes, ends too, and waits until it is saved: the system may end the program as
        soon as this returns. Else, if the window is closed now, it asks nothing."""
        if self._control.state != RunState.IDLE:
            self.end()
            self._control.wait(LOGOUT_WAIT_MS)
        elif not self._asks_nothing:
            self._asks_nothing = True
            QTimer.singleShot(LOGOUT_WAIT_MS, self, self._ask_again)

    @Slot()
    def _ask_again(self) -> None:
        """Another program has refused the logout."""
        if not self._jobs.closed:
            self._asks_nothing = False

    @Slot(object, object)
    def _follow(self, before: Session, after: Session) -> None:
        state = after.run
        if state is before.run:
            return
        if state == RunState.UNSAVED and self._whatever_comes:
            self._control.stop()
        elif state == RunState.UNSAVED:
            self._run_limit.stop()
            self._wanted = self._overdue = False  # whether it may be lost is asked once more
            for question in self._window.findChildren(QMessageBox, QUESTION):
                question.close()  # it promised otherwise
        elif state == RunState.IDLE and self._wanted:
            self._window.close()

    @Slot()
    def _stop_and_close(self) -> None:
        self._wanted = True
        if self._control.state != RunState.UNSAVED:
            self._banner.show_note(tr("Saving, then closing…"))
        self._run_limit.start()
        self._control.stop()
        if self._control.state == RunState.IDLE:
            self._window.close()

    @Slot()
    def _run_is_overdue(self) -> None:
        if self._control.state == RunState.IDLE:
            return
        self._overdue = True
        self._banner.show_warning(
            tr(
                "The run does not stop: perhaps a drive does not answer, or it takes long to save. "
                "Close the window again to end the program now; all progress since the last save "
                "is lost then."
            )
        )

    def _ask(self, *, lost: bool) -> None:
        """Asks without blocking. `lost`: the run is at its end, and could not be saved."""
        if lost:
            text = tr("This run could not be saved. Close, and lose it?")
            more = tr("All progress since the last save is lost then.")
            yes = tr("Close without saving")
        else:
            text = tr("A run is training. Stop it and close?")
            more = tr("It is saved first, and can be resumed where it stops.")
            yes = tr("Stop, save and close")
        close = QMessageBox.StandardButton.Close, yes
        more = sentences(more, *self._jobs.warnings)
        confirm(self._window, QUESTION, text, more, close, self._stop_and_close)

    def _ask_about_jobs(self) -> None:
        more = sentences(*self._jobs.warnings, tr("What is done by then stays."))
        close = QMessageBox.StandardButton.Close, tr("Close now")
        confirm(self._window, QUESTION, tr("Close now?"), more, close, self._close)

    @Slot()
    def _close(self) -> None:
        self.ask_nothing()
        self._window.close()


def _end_program() -> None:
    """Ends it whatever its threads do: one that hangs in a system call can't be ended."""
    os._exit(0)
