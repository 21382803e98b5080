"""Copy and "Save as CSV" for every table, by its context menu and by Ctrl+C."""

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QAbstractItemModel, QObject, Qt, Slot
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView

from flowergui.desktop.context_menus.saving import save_in_background
from flowergui.desktop.widgets.file_dialogs import choose_table
from flowergui.desktop.widgets.item_models import ROOT_INDEX
from flowergui.store import csv_export
from flowergui.text import tr

Row = list[str]


class TableActions(QObject):
    """Adds both actions to a view, whose context menu has them after those that it has already."""

    def __init__(
        self,
        view: QAbstractItemView,
        file_name: str,
        *,
        rows: bool = True,
        exact: Callable[[], Iterable[Row]] | None = None,
    ) -> None:
        """`file_name` is what a saved table is called at first. Without `rows`, a row means nothing
        by itself: all of the table is copied. `exact` gives the table if the view shows rounded
        numbers or is large: it returns at once, and its rows may be made in another thread."""
        super().__init__(view)
        self._view, self._file_name, self._rows = view, file_name, rows
        self._exact = exact
        copy = QAction(tr("&Copy rows") if rows else tr("&Copy table"), view)
        copy.setObjectName("copyRows")
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self._copy)
        save = QAction(tr("&Save as CSV…"), view)
        save.setObjectName("saveRows")
        save.triggered.connect(self._ask)
        view.addActions([copy, save])
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    @Slot()
    def _copy(self) -> None:
        """The selected rows, all of them where none is selected; tabs between their cells."""
        chosen = self._view.selectionModel().selectedRows() if self._rows else []
        wanted = sorted(index.row() for index in chosen)
        table = self._table(wanted or None)
        lines = ("\t".join(" ".join(cell.split()) for cell in row) for row in table)
        QGuiApplication.clipboard().setText("\n".join(lines))

    @Slot()
    def _ask(self) -> None:
        choose_table(self._view, tr("Save as CSV"), self._file_name, self._save)

    @Slot(str)
    def _save(self, path: str) -> None:
        table = self._table()
        save_in_background(self._view, lambda: csv_export.write_table(Path(path), table))

    def _table(self, rows: list[int] | None = None) -> Iterable[Row]:
        return self._exact() if self._exact else table_of(self._view.model(), rows)


def table_of(model: QAbstractItemModel, rows: list[int] | None = None) -> list[Row]:
    """The texts of a table, these `rows` of it or all: the heads of its columns first, if it has
    any, and the head of each row before its cells."""
    across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
    columns = range(model.columnCount(ROOT_INDEX))
    heads = [_text(model.headerData(column, across)) for column in columns]
    numbers = range(model.rowCount(ROOT_INDEX)) if rows is None else rows
    names = {row: _text(model.headerData(row, down)) for row in numbers}
    # Qt's own heads are numbers.
    named = any(name not in ("", str(row + 1)) for row, name in names.items())
    headed = any(name not in ("", str(column + 1)) for column, name in enumerate(heads))
    table = [["", *heads] if named else heads] if headed else []
    for row in numbers:
        cells = [_text(model.index(row, column, ROOT_INDEX).data()) for column in columns]
        table.append([names[row], *cells] if named else cells)
    return table


def _text(value: object) -> str:
    return "" if value is None else str(value)
