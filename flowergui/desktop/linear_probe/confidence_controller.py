"""Cross-validates the open dataset and estimates its learning curve, in a window of its own."""

from typing import Any

from PySide6.QtCore import Slot

from flowergui import tasks
from flowergui.desktop.linear_probe.confidence_window import ConfidenceWindow
from flowergui.desktop.linear_probe.probe_controller import ProbeController
from flowergui.desktop.session import Mode, Session, model_facts, weights_files
from flowergui.events import LearningCurveEstimated, Warned
from flowergui.text import fine_percent, tr


class ConfidenceController(ProbeController[ConfidenceWindow]):
    """Answers how sure an accuracy is, and whether more images would help."""

    job = "estimate the learning curve"

    def _make_window(self) -> ConfidenceWindow:
        return ConfidenceWindow(self._parent)

    @Slot()
    def _start(self) -> None:
        self._jobs.cancel(self.job)
        if self._window is not None:
            self._window.begin()
        session = self._store.session
        device, (model, weights) = session.recipe.device, probed_network(session)
        self._compute(lambda folder: tasks.learning_curve(folder, model, weights, device=device))

    def _show_result(self, event: Any) -> None:
        if self._window is None:
            return
        match event:
            case Warned():
                self._window.add_note(event.message)
            case LearningCurveEstimated():
                if (accuracy := validation_accuracy(self._store.session, event)) is not None:
                    self._window.add_note(
                        tr(
                            "The best run on these images has a validation accuracy of {accuracy}.",
                            accuracy=fine_percent(accuracy),
                        )
                    )
                self._window.show_result(event)


def validation_accuracy(session: Session, event: LearningCurveEstimated) -> float | None:
    """The best validation accuracy of the runs on these images; None if there is none."""
    runs = (each for each in session.runs if each.recipe.photos == event.folder)
    return max((each.best_accuracy for each in runs if each.best_accuracy), default=None)


def probed_network(session: Session) -> tuple[str, str]:
    """The network and the weights of the transfer that is prepared, if they are on this machine;
    else the default ("", "imagenet"), which needs no download."""
    recipe, facts = session.recipe, model_facts(session)
    if session.mode is Mode.TRANSFER:
        if recipe.weights in weights_files(session):
            return recipe.model, recipe.weights
        versions = facts.weights if facts else ()
        named = [each for each in versions if each.name == recipe.weights] or versions[:1]
        if named and named[0].local:
            return recipe.model, recipe.weights
    return "", "imagenet"
