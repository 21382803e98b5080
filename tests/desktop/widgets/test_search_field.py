"""The field that filters a long list."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from flowergui.desktop.widgets.search_field import MIN_ROWS, SearchField


def test_escape_empties_it_before_it_closes_its_window(qtbot):
    dialog = QDialog()
    qtbot.addWidget(dialog)
    field = SearchField("search", "Search runs", dialog)
    field.show_for(MIN_ROWS + 1)
    dialog.show()
    field.setText("rose")
    with qtbot.waitSignal(field.searched) as searched:
        qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert searched.args == [""]
    assert dialog.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
