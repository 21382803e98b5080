"""Says what this program is, helps others to help, and offers the report of a crash."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from flowergui import tasks
from flowergui.desktop.preferences.preferences_controller import PreferencesController
from flowergui.desktop.session import Store
from flowergui.desktop.support.about_dialog import AboutDialog
from flowergui.desktop.support.diagnostics_text import diagnostics
from flowergui.desktop.support.report_dialog import ReportDialog
from flowergui.desktop.threads.jobs import Jobs
from flowergui.desktop.widgets.banner import Banner
from flowergui.desktop.widgets.windows import DISPLAY_NAME, bring_to_front
from flowergui.store import paths
from flowergui.system.crash_report import Report, delete_report, take_reports
from flowergui.system.diagnostics import without_personal_paths
from flowergui.text import tr

DEVICES, REPORTS, DELETE = "names of devices", "crash reports", "delete a crash report"
"""The names of its jobs."""


class SupportController(QObject):
    """Opens About, copies the diagnostics, and looks for reports when the program starts."""

    guide_requested = Signal()
    """The user wants to read the guide."""

    def __init__(
        self,
        store: Store,
        preferences: PreferencesController,
        recent_folders: Callable[[], Sequence[str]],
        banner: Banner,
        jobs: Jobs,
        parent: QWidget,
    ) -> None:
        """`recent_folders` gives the folders of images that were open."""
        super().__init__(parent)
        self._store, self._preferences = store, preferences
        self._recent_folders = recent_folders
        self._banner, self._jobs, self._parent = banner, jobs, parent
        self._devices: tuple[str, ...] = ()
        self._copies = False  # once the devices are known

    # --- about ----------------------------------------------------------------------------

    @Slot()
    def open_about(self) -> None:
        """Shows what this program is."""
        about = self._about()
        if about is None:
            about = AboutDialog(self._parent)
            about.guide_requested.connect(self.guide_requested)
            about.copy_requested.connect(self.copy_diagnostics)
            self._find_devices()
        bring_to_front(about)

    @Slot()
    def copy_diagnostics(self) -> None:
        """Puts the diagnostics on the clipboard, once the devices are known."""
        self._copies = True
        self._find_devices()

    def _about(self) -> AboutDialog | None:
        return self._parent.findChild(AboutDialog)

    def _find_devices(self) -> None:
        """Asks torch, which may have to be loaded, and takes seconds then."""
        self._jobs.do(DEVICES, tasks.describe_devices, self._show_devices, self._copy)

    @Slot(object)
    def _show_devices(self, events: Sequence[Any]) -> None:
        self._devices = events[-1].devices
        if (about := self._about()) is not None:
            about.show_devices(self._devices)
        self._copy()

    @Slot(object)
    def _copy(self, error: BaseException | None = None) -> None:
        """Copies what was asked for; without the devices where they can't be found out."""
        if not self._copies:
            return
        self._copies = False
        QGuiApplication.clipboard().setText(
            diagnostics(
                self._store.session,
                self._preferences.preferences,
                self._banner.log.entries,
                self._devices,
                self._recent_folders(),
            )
        )
        if (about := self._about()) is not None:
            about.show_copied()
        else:
            self._banner.show_note(tr("The diagnostics were copied. Paste them where you ask."))

    # --- reports of crashes ---------------------------------------------------------------

    @Slot()
    def look_for_reports(self) -> None:
        """Offers the newest report of an earlier start, if there is one."""
        folder = paths.reports_folder()
        self._jobs.do(REPORTS, lambda: iter([take_reports(folder)]), self._offer)

    @Slot(object)
    def _offer(self, events: Sequence[Sequence[Report]]) -> None:
        reports = events[-1]
        report = next((each for each in reports if each.crashed), next(iter(reports), None))
        if report is None:
            return
        if report.crashed:
            text = tr("{name} ended unexpectedly last time.", name=DISPLAY_NAME)
        else:
            text = tr("An unexpected error occurred last time.")
        self._banner.offer(text, tr("Show report"), lambda: self._show(report))

    def _show(self, report: Report) -> None:
        shown = ReportDialog(without_personal_paths(report.text), self._parent)
        shown.deletion_requested.connect(lambda: self._delete(report))
        bring_to_front(shown)

    def _delete(self, report: Report) -> None:
        self._jobs.do(DELETE, lambda: _deleted(report), lambda events: None)


def _deleted(report: Report) -> Iterator[str]:
    """The job that deletes a report."""
    delete_report(report.path)
    yield report.path
