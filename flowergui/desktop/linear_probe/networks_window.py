"""Which network suits the dataset: those whose weights are on this machine, side by side."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from flowergui.desktop.accessibility import announce
from flowergui.desktop.linear_probe.networks_table import NetworksModel, NetworksTable
from flowergui.desktop.linear_probe.probe_progress import ProbeProgress, Progress
from flowergui.desktop.style import theme
from flowergui.desktop.style.colors import Theme
from flowergui.desktop.widgets.card import Card, WrappingRow
from flowergui.desktop.widgets.file_dialogs import CHECKPOINTS, choose_file
from flowergui.desktop.widgets.labels import quiet_button, small_label
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.events import NetworkCompared, NetworkFailed, NetworksCompared
from flowergui.text import tr
from flowergui.wording import network_failed_text, networks_compared_text


class NetworksWindow(QDialog):
    """Shows networks as they are compared, and asks for one; does not block the window that it
    belongs to."""

    network_requested = Signal(str, str)
    """The user wants to transfer from this network with these weights."""
    file_requested = Signal(str)
    """The user wants the weights in this file to be compared too."""
    rerun_requested = Signal()
    """The user wants all to be compared once more."""
    cancel_requested = Signal()
    """The user wants no more networks to be compared."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("networksWindow")
        self.setWindowTitle(tr("Compare networks"))
        self._networks = NetworksModel(self)
        self._table = NetworksTable(self._networks)
        self._table.current_network_changed.connect(self._show_state)
        self._table.doubleClicked.connect(self._take)
        self._progress = ProbeProgress()
        self._progress.cancel_requested.connect(self.cancel_requested)
        self._verdict = small_label("heading")
        self._verdict.setObjectName("networksVerdict")
        self._failures = small_label("error")
        self._failures.setObjectName("networksFailures")
        self._running = False
        self._lay_out()
        theme.signals.changed.connect(self._recolor)
        self._show_state()

    def _lay_out(self) -> None:
        card = Card(tr("Which network suits these images?"))
        card.body.addWidget(
            small_label(
                text=tr(
                    "A linear classifier is fitted to the features of each network whose "
                    "pretrained weights are on this machine, and tested on images that it has not "
                    "seen. Fine-tuning may change the order of those that are close."
                )
            )
        )
        card.body.addWidget(self._table, 1)
        card.body.addWidget(self._progress)
        card.body.addWidget(self._verdict)
        card.body.addWidget(self._failures)
        self._use = QPushButton(tr("Use this network"))
        self._use.setObjectName("useNetworkButton")
        self._use.setToolTip(tr("Chooses it, with these weights, for a transfer."))
        self._use.clicked.connect(self._take)
        theme.style(self._use, role="primary")
        add = quiet_button(tr("Compare a file of mine…"), "compareFileButton")
        add.clicked.connect(self._ask_for_file)
        self._again = quiet_button(tr("Compare again"), "compareAgainButton")
        self._again.clicked.connect(self.rerun_requested)
        buttons = WrappingRow(spacing=theme.SPACE)
        buttons.add((add, self._again), (self._use,))
        card.body.addWidget(buttons)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[theme.SPACE + 4] * 4)
        rows.addWidget(card)
        line = self.fontMetrics().height()
        resize_within_screen(self, 52 * line, 30 * line)

    # --- for its controller ---------------------------------------------------------------

    def begin(self, *, more: bool = False) -> None:
        """A comparison begins; the one before is shown no longer, unless `more` networks are
        compared beside it."""
        if not more:
            self._networks.clear()
        self._failures.clear()
        self._running = True
        self._progress.begin()
        self._show_state()

    def show_progress(self, event: Progress) -> None:
        """So much is done of what comes next."""
        self._progress.show_progress(event)

    def show_network(self, event: NetworkCompared) -> None:
        """A network was compared."""
        self._networks.add(event)

    def show_failed(self, event: NetworkFailed) -> None:
        """A network could not be compared."""
        self._add_failure(network_failed_text(event))

    def show_result(self, event: NetworksCompared) -> None:
        """All networks were compared; those that were shown before stay."""
        self._running = False
        self._progress.hide()
        shown = {
            (each.model, each.weights): each for each in (*self._networks.networks, *event.networks)
        }
        ranked = NetworksCompared.ranked(event.folder, shown.values())
        self._networks.show_ranked(ranked.networks)
        self._verdict.setText(networks_compared_text(ranked))
        self._table.choose_first()
        self._show_state()

    def show_error(self, text: str) -> None:
        """The comparison broke off, and why."""
        self._add_failure(text)
        self.end()

    @property
    def is_running(self) -> bool:
        """Whether more networks are to come."""
        return self._running

    def end(self) -> None:
        """No more networks will come."""
        self._running = False
        self._progress.hide()
        self._show_state()

    # --- what it shows and asks for -------------------------------------------------------

    @Slot()
    def _show_state(self) -> None:
        self._use.setEnabled(self._table.current is not None)
        self._again.setEnabled(not self._running)
        if self._running:
            self._verdict.clear()
        for label in (self._verdict, self._failures):
            label.setVisible(bool(label.text()))

    def _add_failure(self, text: str) -> None:
        self._failures.setText("\n".join(filter(None, (self._failures.text(), text))))
        announce(self, text, urgent=True)
        self._show_state()

    @Slot()
    def _take(self) -> None:
        if network := self._table.current:
            self.network_requested.emit(network.model, network.weights)

    @Slot()
    def _ask_for_file(self) -> None:
        choose_file(self, tr("Choose weights"), CHECKPOINTS, self.file_requested.emit)

    @Slot(object)
    def _recolor(self, look: Theme) -> None:
        self._table.viewport().update()
