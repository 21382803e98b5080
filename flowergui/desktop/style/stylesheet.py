"""The one stylesheet, made for a theme. Its hooks are listed in theme.py."""

import re

from PySide6.QtGui import QFont, QFontMetrics

from flowergui.desktop.style.colors import Theme
from flowergui.store import paths

_WIDER_THAN_A_LINE = re.compile(r"(?<![\d.])([2-9]|\d{2,})px")


def stylesheet(theme: Theme, font: QFont, zoom: float = 1.0) -> str:
    """The one stylesheet. The type scale is made from the size of `font`; everything else that is
    wider than a line is `zoom` times as wide."""
    sheet = _sheet(theme, font, zoom)
    if zoom == 1:
        return sheet
    return _WIDER_THAN_A_LINE.sub(lambda found: f"{round(int(found[1]) * zoom)}px", sheet)


def _sheet(theme: Theme, font: QFont, zoom: float) -> str:
    size, unit = font.pointSizeF(), "pt"
    if size <= 0:  # some platforms give their font in pixels
        size, unit = float(font.pixelSize()), "px"
    small, large, figure, hero = (f"{size * factor:.1f}{unit}" for factor in (0.92, 1.1, 1.45, 2.0))
    up, down = (paths.resource(f"icons/chevron-{way}.svg").as_posix() for way in ("up", "down"))
    mode = "dark" if theme.dark else "light"
    check, dash = (
        paths.resource(f"icons/{name}-{mode}.svg").as_posix() for name in ("check", "dash")
    )
    box = round(QFontMetrics(font).height() * 0.8 / zoom)
    boxes, hovered, checked, partly, disabled = (
        ", ".join(f"{kind}::indicator{state}" for kind in ("QCheckBox", "QTreeView", "QListView"))
        for state in ("", ":hover", ":checked", ":indeterminate", ":disabled")
    )
    t = theme
    messages = "".join(
        f'#message[kind="{kind}"] {{ background: {getattr(t, kind + "_soft")};'
        f" border: 1px solid {getattr(t, kind)}; }}"
        f'#message[kind="{kind}"] QLabel {{ color: {t.text}; }}'
        f'#message[kind="{kind}"] QLabel#bannerSign {{ color: {getattr(t, kind)}; }}'
        for kind in ("info", "warning", "error", "success")
    )
    return f"""
QToolTip {{ background: {t.card}; color: {t.text}; border: 1px solid {t.border_strong};
    padding: 6px; }}

QFrame[card="true"] {{ background: {t.card}; border: 1px solid {t.border};
    border-radius: 8px; }}
QFrame[card="true"][quiet="true"] {{ background: transparent; border-color: transparent; }}
QFrame[card="true"]:focus {{ border: 2px solid {t.accent}; }}
QFrame[chart="true"] {{ border: 2px solid transparent; border-radius: 8px; }}
QFrame[chart="true"]:focus {{ border-color: {t.accent}; }}
QFrame[line="true"] {{ background: {t.border}; border: none; }}
#message {{ border-radius: 8px; }}
{messages}
#welcome, #dropZone {{ background: {t.sunken}; border: 1px dashed {t.border_strong};
    border-radius: 8px; }}
#dropZone[hot="true"] {{ background: {t.accent_soft}; border: 1px solid {t.accent}; }}

QLabel {{ background: transparent; }}
QLabel[role="title"] {{ font-size: {large}; font-weight: 600; }}
QLabel[role="heading"] {{ font-weight: 600; }}
QLabel[role="figure"] {{ font-size: {figure}; font-weight: 600; }}
QLabel[role="hero"] {{ font-size: {hero}; font-weight: 600; }}
QLabel[role="caption"] {{ color: {t.muted}; font-size: {small}; }}
QLabel[role="error"] {{ color: {t.error}; font-size: {small}; }}
QLabel[role="readout"] {{ font-size: {small}; border-color: {t.border_strong}; }}
QLabel[role="chip"] {{ color: {t.muted}; background: {t.hover}; font-size: {small};
    border-radius: 6px; padding: 1px 6px; }}
QLabel[role="chip"][failed="true"] {{ color: {t.error}; background: {t.error_soft}; }}
QLabel:disabled {{ color: {t.faint}; }}

QPushButton {{ background: {t.card}; color: {t.text}; border: 1px solid {t.border_strong};
    border-radius: 6px; padding: 5px 12px; outline: none; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.border}; }}
QPushButton:focus {{ border: 2px solid {t.accent}; padding: 4px 11px; }}
QPushButton:disabled {{ color: {t.faint}; border-color: {t.border}; background: {t.sunken}; }}
QPushButton::menu-indicator {{ image: url("{down}"); width: 10px; height: 10px;
    subcontrol-position: right center; subcontrol-origin: padding; right: 6px; }}
QPushButton[role="primary"] {{ background: {t.accent}; color: {t.on_accent};
    border-color: {t.accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {t.accent_hover};
    border-color: {t.accent_hover}; }}
QPushButton[role="primary"]:focus {{ border-color: {t.text}; text-decoration: underline; }}
QPushButton[role="primary"]:disabled {{ background: {t.hover}; color: {t.faint};
    border-color: {t.border}; }}
QPushButton[role="danger"] {{ color: {t.error}; }}
QPushButton[role="danger"]:hover {{ background: {t.error_soft}; border-color: {t.error}; }}
QPushButton[role="danger"]:disabled {{ color: {t.faint}; }}
QPushButton[role="quiet"] {{ background: transparent; color: {t.muted};
    border-color: transparent; padding: 4px 8px; }}
QPushButton[flush="true"] {{ padding-left: 1px; text-align: left; }}
QPushButton[role="quiet"]:hover {{ background: {t.hover}; color: {t.text}; }}
QPushButton[role="quiet"]:focus {{ border-color: {t.accent}; padding: 3px 7px; }}
QPushButton[flush="true"]:hover, QPushButton[flush="true"]:pressed {{ background: transparent;
    color: {t.accent}; }}
QPushButton[flush="true"]:focus {{ border-color: transparent; color: {t.accent};
    padding-left: 0; text-decoration: underline; }}
QPushButton[role="quiet"]:disabled {{ color: {t.faint}; background: transparent; }}
QPushButton[role="title"] {{ background: transparent; border-color: transparent; padding: 2px 4px;
    margin-left: -5px; text-align: left; font-size: {large}; font-weight: 600; }}
QPushButton[role="title"]:hover {{ background: {t.hover}; }}
QPushButton[role="title"]:focus {{ border-color: {t.accent}; padding: 1px 3px; }}
QPushButton[role="fold"] {{ background: transparent; color: {t.muted};
    border: 1px solid transparent; border-radius: 4px; padding: 0; }}
QPushButton[role="fold"]:hover {{ background: {t.hover}; color: {t.text}; }}
QPushButton[role="fold"]:focus {{ border-color: {t.accent}; padding: 0; color: {t.accent}; }}
QPushButton[role="segment"] {{ background: transparent; color: {t.muted};
    border-color: transparent; padding: 4px 6px; }}
QPushButton[role="segment"]:hover {{ background: {t.hover}; color: {t.text}; }}
QPushButton[role="segment"]:checked {{ background: {t.accent_soft}; color: {t.accent};
    border-color: {t.accent}; }}
QPushButton[role="segment"]:focus {{ border-color: {t.accent}; padding: 3px 5px; }}
QPushButton[role="segment"]:disabled {{ color: {t.faint}; }}

QLineEdit, QAbstractSpinBox, QComboBox, QPlainTextEdit, QTextEdit {{ background: {t.card};
    color: {t.text}; border: 1px solid {t.field}; border-radius: 6px;
    padding: 4px 7px; selection-background-color: {t.accent};
    selection-color: {t.on_accent}; placeholder-text-color: {t.muted}; }}
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover {{ border-color: {t.muted}; }}
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus,
QTextEdit:focus {{ border: 2px solid {t.accent}; padding: 3px 6px; }}
QTextEdit[flat="true"] {{ border: 2px solid transparent; background: transparent; }}
QTextEdit[flat="true"]:focus {{ border-color: {t.accent}; }}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{ color: {t.faint};
    background: {t.sunken}; border-color: {t.border}; }}
*[invalid="true"], *[invalid="true"]:hover {{ border: 1px solid {t.error}; }}
*[invalid="true"]:focus {{ border: 2px solid {t.error}; }}
QAbstractSpinBox {{ padding-right: 20px; }}
QAbstractSpinBox:focus {{ padding-right: 19px; }}
QAbstractSpinBox[cell="true"], QAbstractSpinBox[cell="true"]:focus {{
    border-radius: 0; padding: 0 18px 0 2px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ subcontrol-origin: border;
    width: 20px; border: none; background: transparent; }}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; }}
QAbstractSpinBox::up-arrow {{ image: url("{up}"); width: 9px; height: 9px; }}
QAbstractSpinBox::down-arrow {{ image: url("{down}"); width: 9px; height: 9px; }}
QComboBox {{ padding-right: 22px; combobox-popup: 0; }}
QComboBox:focus {{ padding-right: 21px; }}
QComboBox::drop-down {{ subcontrol-origin: border; subcontrol-position: center right;
    width: 22px; border: none; }}
QComboBox::down-arrow {{ image: url("{down}"); width: 10px; height: 10px; }}
QComboBox QLineEdit, QAbstractSpinBox QLineEdit, QComboBox QLineEdit:focus,
QAbstractSpinBox QLineEdit:focus {{ border: none; padding: 0;
    background: transparent; }}

QCheckBox, QRadioButton {{ spacing: 7px; }}
QCheckBox:focus, QRadioButton:focus {{ outline: 2px solid {t.accent}; outline-radius: 3px; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {t.faint}; }}
{boxes} {{ width: {box}px; height: {box}px; border: 1px solid {t.field}; border-radius: 4px;
    background: {t.card}; }}
{hovered} {{ border-color: {t.accent}; }}
{checked} {{ background: {t.accent}; border-color: {t.accent}; image: url("{check}"); }}
{partly} {{ background: {t.accent}; border-color: {t.accent}; image: url("{dash}"); }}
{disabled} {{ background: {t.hover}; border-color: {t.border_strong}; }}

QSlider::groove:horizontal {{ height: 4px; background: {t.border_strong}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 12px; margin: -6px 0; background: {t.card};
    border: 2px solid {t.accent}; border-radius: 8px; }}
QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
QSlider::handle:horizontal:disabled, QSlider::sub-page:horizontal:disabled {{
    background: {t.sunken}; border-color: {t.border_strong}; }}

QTreeView, QTableView, QListView {{ background: {t.card}; border: 1px solid {t.border};
    border-radius: 8px; outline: 0; selection-background-color: {t.accent_soft};
    selection-color: {t.text}; }}
QTreeView:focus, QTableView:focus, QListView:focus {{ border-color: {t.accent}; }}
QLabel:focus {{ outline: 2px solid {t.accent}; }}
QTreeView::item {{ padding: 2px 2px; }}
QTreeView::item:hover, QListView::item:hover {{ background: {t.hover}; }}
QTreeView::item:selected, QListView::item:selected {{ background: {t.accent_soft};
    color: {t.text}; }}
QHeaderView {{ background: transparent; border: none; }}
QTreeView[flat="true"], QTableView[flat="true"], QListView[flat="true"] {{
    border: 1px solid transparent; background: transparent; }}
QTreeView[flat="true"]:focus, QTableView[flat="true"]:focus, QListView[flat="true"]:focus {{
    border-color: {t.accent}; }}
QHeaderView::section {{ background: transparent; color: {t.muted}; border: none;
    border-bottom: 1px solid {t.border}; padding: 3px 4px; font-size: {small}; }}

QProgressBar {{ background: {t.hover}; border: none; border-radius: 4px; color: {t.text};
    text-align: center; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 4px; }}
QProgressBar[slim="true"] {{ max-height: 4px; min-height: 4px; border-radius: 2px; }}
QProgressBar[slim="true"]::chunk {{ border-radius: 2px; }}

QComboBox QAbstractItemView, QComboBox QAbstractItemView:focus {{ background: {t.card};
    border: 1px solid {t.border_strong}; border-radius: 0; outline: 0;
    selection-background-color: {t.accent_soft}; selection-color: {t.text}; }}
QComboBox QAbstractItemView::item {{ padding: 4px 5px; border-radius: 4px; }}

QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QScrollArea {{ border: none; background: transparent; }}
#photoWindow QScrollArea {{ border: 2px solid transparent; }}
#photoWindow QScrollArea:focus {{ border-color: {t.accent}; }}
QScrollArea > QWidget > QWidget {{ background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {t.field}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:disabled {{ background: transparent; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QAbstractScrollArea::corner {{ background: transparent; border: none; }}

QSplitter::handle {{ background: transparent; }}
QMenuBar {{ background: {t.background}; color: {t.text}; padding: 2px 6px 0 6px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected, QMenuBar::item:pressed {{ background: {t.hover}; }}
QMenu {{ background: {t.card}; border: 1px solid {t.border_strong}; padding: 4px;
    menu-scrollable: 1; }}
QMenu::item {{ padding: 5px 22px 5px 28px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
QMenu::item:disabled {{ color: {t.faint}; }}
QMenu::indicator {{ width: 14px; height: 14px; left: 7px; border-radius: 4px; }}
QMenu::indicator:checked {{ background: {t.accent}; image: url("{check}"); }}
QMenu::indicator:disabled {{ background: {t.faint}; }}
QMenu::separator {{ background: {t.border}; height: 1px; margin: 4px 8px; }}
"""
