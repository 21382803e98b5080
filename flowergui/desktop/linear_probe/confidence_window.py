"""How sure is the accuracy on the dataset, and would more images raise it?"""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.accessibility import announce
from flowergui.desktop.linear_probe.class_gains import GainsTable
from flowergui.desktop.linear_probe.learning_curve_plot import LearningCurvePlot
from flowergui.desktop.linear_probe.probe_progress import ProbeProgress, Progress
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.desktop.widgets.windows import ScrollingRows, resize_within_screen
from flowergui.events import LearningCurveEstimated
from flowergui.text import fine_percent, sentences, tr, trn
from flowergui.wording import learning_curve_text, unreadable_text

MIN_PLOT_LINES = 9
"""Lines of text that the plot, and the table beside it, are high at least."""


class ConfidenceWindow(QDialog):
    """Shows a cross-validated accuracy with its interval, and a learning curve; does not block the
    window that it belongs to."""

    rerun_requested = Signal()
    """The user wants it computed once more."""
    cancel_requested = Signal()
    """The user does not want to wait for it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("confidenceWindow")
        self.setWindowTitle(tr("How sure, and would more images help?"))
        self._event: LearningCurveEstimated | None = None
        self._notes: tuple[str, ...] = ()
        self._accuracy = QLabel()
        self._accuracy.setObjectName("crossValidatedAccuracy")
        theme.style(self._accuracy, role="figure")
        theme.tabular(self._accuracy)
        self._sentence = small_label("heading")
        self._sentence.setObjectName("crossValidationSentence")
        self._how = small_label()
        self._how.setObjectName("crossValidationHow")
        self._progress = ProbeProgress()
        self._progress.cancel_requested.connect(self.cancel_requested)
        self._verdict = small_label("heading")
        self._verdict.setObjectName("learningCurveVerdict")
        self._failure = small_label("error")
        self._failure.setObjectName("confidenceError")
        self._curve = LearningCurvePlot()
        self._classes = GainsTable()
        self._classes.class_chosen.connect(self._choose_class)
        self._lay_out()
        theme.signals.changed.connect(self._recolor)

    def _lay_out(self) -> None:
        sure = Card(tr("How sure?"))
        row = QHBoxLayout()
        row.setSpacing(2 * theme.SPACE)
        words = QVBoxLayout()
        words.addWidget(self._sentence)
        words.addWidget(self._how)
        row.addWidget(self._accuracy)
        row.addLayout(words, 1)
        self._again = quiet_button(tr("Compute again"), "computeAgainButton")
        self._again.clicked.connect(self.rerun_requested)
        row.addWidget(self._again)
        sure.body.addLayout(row)
        sure.body.addWidget(self._failure)
        sure.body.addWidget(self._progress)
        more = Card(tr("Would more images help?"))
        more.body.addWidget(self._verdict)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setHandleWidth(theme.SPACE)
        both.setChildrenCollapsible(False)
        for place, (part, stretch) in enumerate(((self._curve, 3), (self._classes, 2))):
            both.addWidget(part)
            both.setStretchFactor(place, stretch)
        more.body.addWidget(both, 1)
        more.body.addWidget(
            small_label(
                text=tr(
                    "Accuracy in percent by the number of images, with 95% intervals; the last "
                    "point is extrapolated. Click a class to see its curve."
                )
            )
        )
        rows = ScrollingRows(self).rows
        rows.addWidget(sure)
        rows.addWidget(more, 1)
        line = self.fontMetrics().height()
        both.setMinimumHeight(MIN_PLOT_LINES * line)
        resize_within_screen(self, 62 * line, 38 * line)
        both.setSizes([34 * line, 26 * line])

    # --- for its controller ---------------------------------------------------------------

    def begin(self) -> None:
        """It is being computed; what was shown before is shown no longer."""
        self._notes = ()
        self._show(None)
        self._sentence.setText(tr("Computing…"))
        self._again.setEnabled(False)
        self._progress.begin()

    def show_progress(self, event: Progress) -> None:
        """So much is done."""
        self._progress.show_progress(event)

    def add_note(self, text: str) -> None:
        """Adds a sentence, which stays beside the result."""
        self._notes += (text,)
        self._how.setText(sentences(*self._notes))
        self._how.show()

    def show_result(self, event: LearningCurveEstimated) -> None:
        """All is computed."""
        self._show(event)
        self.end()

    def show_error(self, text: str) -> None:
        """It broke off, and why."""
        self._sentence.clear()
        self._failure.setText(text)
        self._failure.show()
        announce(self, text, urgent=True)
        self.end()

    def end(self) -> None:
        """Nothing is computed any more."""
        self._progress.hide()
        self._again.setEnabled(True)
        if self._event is None and not self._failure.text():
            self._sentence.setText(tr("Cancelled."))

    # --- what it shows --------------------------------------------------------------------

    def _show(self, event: LearningCurveEstimated | None) -> None:
        self._event = event
        self._failure.clear()
        self._failure.hide()
        self._classes.show_curve(event)
        self._curve.show_curve(event)
        for widget in (self._accuracy, self._how, self._verdict):
            widget.setVisible(event is not None)
        if event is None:
            return
        now = event.points[-1]
        self._accuracy.setText(fine_percent(now.accuracy))
        self._sentence.setText(
            tr(
                "With 95% confidence, the accuracy on new images lies between {low} and {high}.",
                low=fine_percent(now.low),
                high=fine_percent(now.high),
            )
        )
        how = trn(
            "Cross-validated on {count} image, by a linear classifier on features of {model}.",
            "Cross-validated on {count} images, by a linear classifier on features of {model}.",
            now.photos,
            model=event.model,
        )
        unreadable = unreadable_text(event.problems) if event.problems else ""
        self._how.setText(sentences(how, *self._notes, unreadable))
        self._verdict.setText(learning_curve_text(event))

    @Slot()
    def _choose_class(self) -> None:
        chosen = self._classes.current
        self._curve.show_curve(self._event, chosen.place if chosen else None)

    @Slot(object)
    def _recolor(self, look: Theme) -> None:
        self._curve.recolor()
