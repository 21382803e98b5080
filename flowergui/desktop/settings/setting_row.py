"""Rows of the form: a setting's label, its editor and what is wrong; and sections that fold."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from flowergui.config.setting import Setting, Value
from flowergui.desktop.accessibility import DisclosureButton
from flowergui.desktop.settings.setting_editors import (
    CheckEditor,
    ChoiceEditor,
    FloatEditor,
    IntEditor,
    editor_for,
    spoken_help,
    tooltip_html,
)
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.labels import ElidedLabel, small_label
from flowergui.text import tr


class SettingRow(QWidget):
    """A setting's label, its editor, and the reason if its value is refused.

    The label of a setting that can be switched off is a checkbox.
    """

    edited = Signal()
    """The value has changed, by the user or by the program."""

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setting = setting
        self._editor = editor_for(setting)
        self._editor.edited.connect(self._changed)
        self._switch = self._make_switch() if setting.switched_on else None
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        if isinstance(self._editor, CheckEditor):
            row.addWidget(self._editor, 1)
        else:
            label = self._switch or self._label()
            label.setToolTip(tooltip_html(setting))
            # Labels and editors of all rows are aligned, whatever their texts.
            tall, fixed = QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed
            for widget, share, height in ((label, 9, tall), (self._editor, 11, fixed)):
                widget.setSizePolicy(QSizePolicy.Policy.Ignored, height)
                row.addWidget(widget, share)
        self._error = small_label("error")
        self._error.setObjectName(f"{setting.name}Error")
        self._error.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self._error)
        if self._switch:
            QWidget.setTabOrder(self._switch, self._editor)
        self._changed()

    def value(self) -> Value:
        """The value in the editor, valid or not."""
        return self._editor.value()

    def set_value(self, value: Value) -> None:
        """Shows `value`."""
        self._editor.set_value(value)

    def in_brief(self) -> str:
        """A word for the summary of a closed section: the choice, or the label of what is on."""
        if isinstance(self._editor, ChoiceEditor):
            return self._editor.currentText()
        switch = self._editor if isinstance(self._editor, CheckEditor) else self._switch
        return tr(self.setting.label) if switch and switch.isChecked() else ""

    def finish_typing(self) -> None:
        """Reads what is typed but not confirmed yet."""
        if isinstance(self._editor, IntEditor | FloatEditor):
            self._editor.interpretText()

    def show_problem(self, reason: str) -> None:
        """Shows why the value is refused; "" if it is valid."""
        if self._error.text() != reason:
            self._error.setText(reason)
            self._error.setVisible(bool(reason))
            self._editor.setAccessibleDescription(reason or spoken_help(self.setting))
            theme.style(self._editor, invalid=bool(reason))

    def set_editable(self, editable: bool) -> None:
        """Whether the user may change the value."""
        self._editor.setEnabled(editable)
        if self._switch:
            self._switch.setEnabled(editable)

    def _make_switch(self) -> QCheckBox:
        switch = QCheckBox(tr(self.setting.label))
        switch.setObjectName(f"{self.setting.name}Switch")
        switch.clicked.connect(self._flip)
        return switch

    def _label(self) -> QLabel:
        label = QLabel(tr(self.setting.label))
        label.setWordWrap(True)
        label.setBuddy(self._editor)
        return label

    @Slot(bool)
    def _flip(self, on: bool) -> None:
        self._editor.set_value(self.setting.switched_on if on else 0)

    @Slot()
    def _changed(self) -> None:
        if self._switch:
            self._switch.setChecked(bool(self._editor.value()))
        self.edited.emit()


class Section(QWidget):
    """Rows under a heading that opens and closes them; a closed one shows a short summary. The
    rows, whose parent is `inner`, exist all the time."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._button = DisclosureButton(tr(title))
        self._button.setObjectName(f"section{title}")
        theme.style(self._button, role="quiet", flush=True)
        self._button.toggled.connect(self._show)
        self._summary = ElidedLabel()
        self._summary.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        theme.style(self._summary, role="caption")
        head = QHBoxLayout()
        head.addWidget(self._button)
        head.addWidget(self._summary, 1)
        self.inner = QWidget(self)
        self._rows = QVBoxLayout(self.inner)
        self._rows.setContentsMargins(0, 2, 0, 8)
        self._rows.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.inner)
        self._show(False)

    def add(self, row: SettingRow) -> None:
        """Adds a row below the others."""
        self._rows.addWidget(row)

    def open(self) -> None:
        """Shows the rows."""
        self._button.setChecked(True)

    def close_rows(self) -> None:
        """Hides the rows."""
        self._button.setChecked(False)

    @property
    def is_open(self) -> bool:
        """Whether the rows are shown."""
        return self._button.isChecked()

    def show_summary(self, text: str) -> None:
        """Shows a summary beside the heading while the section is closed."""
        self._text = text
        self._show(self._button.isChecked())

    @Slot(bool)
    def _show(self, opened: bool) -> None:
        self.inner.setVisible(opened)
        self._summary.setText("" if opened else self._text)
