"""2 Start from: scratch, resume or transfer, and what each of them needs."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop.accessibility import radio_group
from flowergui.desktop.session import Mode, Session, is_idle, is_sample
from flowergui.desktop.start_from.model_selector import ModelSelector
from flowergui.desktop.start_from.resume_check_panel import ResumeCheckPanel
from flowergui.desktop.start_from.run_list import RunList
from flowergui.desktop.start_from.weights_selector import WeightsSelector
from flowergui.desktop.style import theme
from flowergui.desktop.watched_run import read_only_text
from flowergui.desktop.widgets.card import FoldingCard, Segments
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.events import Scanned
from flowergui.text import N_, tr, trn

TITLES = {
    Mode.SCRATCH: N_("Scratch"),
    Mode.RESUME: N_("Resume"),
    Mode.TRANSFER: N_("Transfer"),
}
EXPLANATIONS = {
    Mode.SCRATCH: N_(
        "Trains all weights on your images alone. Choose it when you have thousands of images, or "
        "want to see training from the very start."
    ),
    Mode.RESUME: N_(
        "Continues exactly where a run stopped. Choose it to finish a run, or to give it more "
        "epochs."
    ),
    Mode.TRANSFER: N_(
        "Starts from pretrained weights. Choose it when you have fewer than a few thousand "
        "images: it is faster, and nearly always more accurate."
    ),
}
"""What each mode does and when to choose it."""


FEW_IMAGES = 2_000
"""With fewer images than that, Transfer is nearly always better than Scratch."""


class ModeSelector(FoldingCard):
    """Shows the mode of a session, and holds the panels of what each mode needs: `models`,
    `weights`, `runs` and `resume_check`, each with signals of its own."""

    mode_requested = Signal(str)
    """The user wants this Mode."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("2  Start from"), "foldStartFromButton", parent)
        self._buttons: dict[Mode, QPushButton] = {}
        for mode, title in TITLES.items():
            button = QPushButton(tr(title))
            button.setObjectName(f"mode{mode.capitalize()}")
            button.setToolTip(f"<qt>{tr(EXPLANATIONS[mode])}</qt>")
            button.setAccessibleDescription(tr(EXPLANATIONS[mode]))
            button.toggled.connect(self._toggled)
            self._buttons[mode] = button
        radio_group(self._buttons.values(), self)
        self.body.addWidget(Segments(self._buttons.values()))
        self._explanation = small_label()
        self.body.addWidget(self._explanation)
        self._advice = quiet_button("", "transferAdviceButton", flush=True)
        self._advice.clicked.connect(self._take_advice)
        self._advice.hide()
        self.body.addWidget(self._advice, 0, Qt.AlignmentFlag.AlignLeft)
        self.models = ModelSelector()
        self.weights = WeightsSelector()
        self.runs = RunList()
        self.resume_check = ResumeCheckPanel()
        self._weights_part = _part(tr("Weights"), self.weights)
        self._runs_part = _part(tr("Run"), self.runs, self.resume_check)
        for part in (self.models, self._weights_part, self._runs_part):
            self.body.addWidget(part)
        self._mode: Mode | None = None
        self.show_session(Session())

    def show_session(self, session: Session) -> None:
        """Shows the mode and what it needs. While a run goes, nothing can be changed."""
        self.models.show_models(session.models, session.recipe.model)
        self.weights.show_session(session)
        self.runs.show_session(session)
        self.resume_check.show_session(session)
        for widget in (*self._buttons.values(), self.models, self._weights_part, self._runs_part):
            widget.setEnabled(is_idle(session))
        self.setToolTip(read_only_text() if session.watched is not None else "")
        self.show_summary(_summary(session))
        self._show_advice(session)
        if session.dataset is not None or session.mode is Mode.RESUME:
            self.unfold()
        if session.mode is not self._mode:
            self._mode = session.mode
            self._show_mode(session.mode)

    def _show_mode(self, mode: Mode) -> None:
        for button in self._buttons.values():
            button.blockSignals(True)
        self._buttons[mode].setChecked(True)
        for button in self._buttons.values():
            button.blockSignals(False)
        self.models.setVisible(mode is not Mode.RESUME)
        self._weights_part.setVisible(mode is Mode.TRANSFER)
        self._runs_part.setVisible(mode is Mode.RESUME)

    def _show_advice(self, session: Session) -> None:
        """Why Transfer is chosen for few images; and that it would be better where it is not."""
        count = _image_count(session.dataset) if session.dataset else 0
        few = 0 < count < FEW_IMAGES
        text = tr(EXPLANATIONS[session.mode])
        if few and session.mode is Mode.TRANSFER:
            text = trn(
                "{count} image is too few to learn to see from nothing, so this starts from a "
                "network that has seen a million others: faster, and more accurate.",
                "{count} images are too few to learn to see from nothing, so this starts from a "
                "network that has seen a million others: faster, and more accurate.",
                count,
            )
        if text != self._explanation.text():
            self._explanation.setText(text)
        drawn = session.dataset is not None and is_sample(session.dataset)
        self._advice.setVisible(few and not drawn and session.mode is Mode.SCRATCH)
        self._advice.setText(
            trn(
                "{count} image: Transfer would do better ▸",
                "{count} images: Transfer would do better ▸",
                count,
            )
        )
        self._advice.setEnabled(is_idle(session))

    @Slot()
    def _take_advice(self) -> None:
        self.mode_requested.emit(Mode.TRANSFER)

    @Slot(bool)
    def _toggled(self, on: bool) -> None:
        chosen = next((m for m, button in self._buttons.items() if button.isChecked()), None)
        if on and chosen is not None:
            self.mode_requested.emit(chosen)


def _image_count(dataset: Scanned) -> int:
    return sum(each.train + each.validation for each in dataset.classes)


def _summary(session: Session) -> str:
    mode = tr(TITLES[session.mode])
    if session.mode is Mode.RESUME:
        return mode
    return tr("{mode}, {model}", mode=mode, model=session.recipe.model)


def _part(title: str, *content: QWidget) -> QWidget:
    part = QWidget()
    heading = QLabel(title)
    theme.style(heading, role="heading")
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    column.addWidget(heading)
    for widget in content:
        column.addWidget(widget)
    return part
