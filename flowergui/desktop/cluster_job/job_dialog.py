"""The dialog that asks what a job on a cluster gets: Run > Run elsewhere."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.file_dialogs import choose_folder
from flowergui.desktop.widgets.labels import small_label
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.requests import JobOptions
from flowergui.text import tr

MAX_NODES, MAX_GPUS, MAX_HOURS = 1_000, 64, 1_000


class JobDialog(QDialog):
    """Shows JobOptions, and requests a job with others in a folder; does not block."""

    job_requested = Signal(object, str)
    """The user wants a job with these JobOptions, in a new folder below this one."""

    def __init__(self, options: JobOptions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobDialog")
        self.setWindowTitle(tr("Run elsewhere"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._nodes = _number("jobNodes", 1, MAX_NODES, options.nodes)
        self._gpus = _number("jobGpus", 0, MAX_GPUS, options.gpus)
        self._gpus.setSpecialValueText(tr("none: on the CPU"))
        self._hours = _number("jobHours", 1, MAX_HOURS, options.hours)
        self._photos = QLineEdit(options.photos)
        self._photos.setObjectName("jobPhotos")
        self._photos.setPlaceholderText(tr("named when it is submitted"))
        self._photos.setClearButtonEnabled(True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(*[theme.SPACE + 4] * 4)
        rows.setSpacing(theme.SPACE)
        rows.addWidget(self._make_card())
        rows.addStretch(1)
        rows.addLayout(self._make_buttons())
        resize_within_screen(self, 34 * self.fontMetrics().height(), 0)

    def _make_card(self) -> Card:
        card = Card(tr("Train these settings on a cluster"))
        card.body.addWidget(
            small_label(
                text=tr(
                    "This writes a folder with the settings, the split into training and "
                    "validation images, and job scripts for SLURM and Kubernetes. Copy it to the "
                    "cluster, where your images and Flowergui have to be too."
                )
            )
        )
        form = QFormLayout()
        form.setContentsMargins(0, theme.SPACE, 0, 0)
        form.setHorizontalSpacing(2 * theme.SPACE)
        form.setVerticalSpacing(theme.SPACE)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.addRow(tr("&Nodes"), self._nodes)
        form.addRow(tr("&GPUs of each node"), self._gpus)
        form.addRow(tr("&Time limit of a SLURM job, in hours"), self._hours)
        form.addRow(tr("Folder of &images there"), self._photos)
        card.body.addLayout(form)
        return card

    def _make_buttons(self) -> QHBoxLayout:
        cancel = QPushButton(tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.close)
        write = QPushButton(tr("Write it into…"))
        write.setObjectName("writeJobButton")
        theme.style(write, role="primary")
        write.setDefault(True)
        write.clicked.connect(self._ask_where)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(write)
        return row

    @property
    def options(self) -> JobOptions:
        """What the job gets, as the dialog shows it."""
        return JobOptions(
            nodes=self._nodes.value(),
            gpus=self._gpus.value(),
            hours=self._hours.value(),
            photos=self._photos.text().strip(),
        )

    @Slot()
    def _ask_where(self) -> None:
        choose_folder(self, tr("Choose where the folder of the job is created"), "", self._request)

    @Slot(str)
    def _request(self, folder: str) -> None:
        self.job_requested.emit(self.options, folder)
        self.close()


def _number(name: str, least: int, most: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setObjectName(name)
    box.setRange(least, most)
    box.setValue(value)
    box.lineEdit().setTextMargins(5, 0, 0, 0)  # in line with the text of a line edit
    return box
