"""The guide: what to do, what the curves say, and what helps when something goes wrong."""

import platform
import re
from collections.abc import Iterator

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QTextBlock, QTextBlockFormat, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QWidget,
)

from flowergui import __version__, language
from flowergui.desktop.style import theme
from flowergui.desktop.widgets.card import Card
from flowergui.desktop.widgets.windows import resize_within_screen
from flowergui.language import Language
from flowergui.store import paths
from flowergui.text import tr

ITALICS = r"(?:(?<=[\u3000-\uffef]) )?(?<!\*)\*([^*\n]+)\*(?!\*) ?"
"""Markdown of the names of controls, with the spaces around it; the one of a list stays."""

CHAPTER_LEVEL = 2
"""The level of headings that begin a chapter."""
CURVES_CHAPTER = 4
"""What the curves say; counted from 0, as the guide has them in every language."""
LINE_HEIGHT_PERCENT = 130


class GuideWindow(QDialog):
    """Chapters on the left, their text on the right; it does not block the window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("guideWindow")
        self.setWindowTitle(tr("Guide"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._chapters = QListWidget()
        self._chapters.setObjectName("guideChapters")
        self._chapters.setAccessibleName(tr("Chapters"))
        self._chapters.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme.style(self._chapters, flat=True)
        self._chapters.setStyleSheet(
            "QListView::item { padding: 5px 8px; border: none; border-radius: 6px; }"
        )
        self._text = QTextBrowser()
        self._text.setObjectName("guideText")
        self._text.setAccessibleName(tr("Guide"))
        self._text.setOpenExternalLinks(True)
        theme.style(self._text, flat=True)
        self._text.document().setDocumentMargin(0)
        self._text.setViewportMargins(0, 0, theme.SPACE, 0)
        self._show_text()
        width = max(
            self._chapters.fontMetrics().horizontalAdvance(self._chapters.item(row).text())
            for row in range(self._chapters.count())
        )
        self._chapters.setFixedWidth(width + 5 * theme.SPACE)
        self._chapters.currentRowChanged.connect(self._go_to)
        card = Card()
        card.body.addWidget(self._text)
        card.body.setContentsMargins(*[2 * theme.SPACE] * 4)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[theme.SPACE + 4] * 4)
        row.setSpacing(theme.SPACE)
        row.addWidget(self._chapters)
        row.addWidget(card, 1)
        line = self.fontMetrics().height()
        resize_within_screen(self, 56 * line, 42 * line)

    def show_chapter(self, number: int) -> None:
        """Scrolls to a chapter, counted from 0."""
        self._chapters.setCurrentRow(number)
        self._go_to(number)

    def _show_text(self) -> None:
        guide = language.guide()
        if language.current() is Language.SIMPLIFIED_CHINESE:
            guide = re.sub(ITALICS, r"“\1”", guide)  # Chinese has no italics
        self._text.setMarkdown(f"{guide}\n{_about()}")
        for block in self._blocks():
            airy = QTextBlockFormat(block.blockFormat())
            airy.setLineHeight(
                LINE_HEIGHT_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
            )
            if airy.headingLevel() == CHAPTER_LEVEL:
                airy.setTopMargin(2.5 * theme.SPACE if block.position() else 0)
                airy.setBottomMargin(theme.SPACE)
                item = QListWidgetItem(block.text(), self._chapters)
                item.setData(Qt.ItemDataRole.UserRole, block.blockNumber())
            QTextCursor(block).setBlockFormat(airy)
        self._text.moveCursor(QTextCursor.MoveOperation.Start)

    def _blocks(self) -> Iterator[QTextBlock]:
        block = self._text.document().begin()
        while block.isValid():
            yield block
            block = block.next()

    @Slot(int)
    def _go_to(self, row: int) -> None:
        item = self._chapters.item(row)
        if item is not None:
            number = item.data(Qt.ItemDataRole.UserRole)
            block = self._text.document().findBlockByNumber(number)
            top = self._text.document().documentLayout().blockBoundingRect(block).top()
            self._text.verticalScrollBar().setValue(round(top))


def _about() -> str:
    """The last chapter."""
    from PySide6 import __version__ as qt

    title = tr("About")
    about = tr(
        "Flowergui {version}, on Python {python} and Qt {qt}. Made of PyTorch and torchvision "
        "(networks and training), PySide6 (the window) and pyqtgraph (the curves). MIT licence.",
        version=__version__,
        python=platform.python_version(),
        qt=qt,
    )
    kept = tr("Runs and weights are kept in `{folder}`.", folder=paths.models_folder())
    return f"## {title}\n\n{about}\n\n{kept}"
