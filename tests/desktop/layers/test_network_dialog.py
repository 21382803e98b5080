"""The modules of a network."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QTreeWidget

from flowergui.desktop.layers.network_dialog import NetworkDialog
from flowergui.desktop.style import theme
from flowergui.events import ModelDescribed
from flowergui.facts import ModuleFacts

MODULES = (
    ModuleFacts("", "MyNet", (3, 10), 9),
    ModuleFacts("fc", "Sequential", (10,), 9),
    ModuleFacts("fc.0", "Linear", (10,), 9),
)


def test_types_have_the_colour_of_the_theme_also_after_it_changed(qtbot, qapp):
    theme.apply(qapp, "light")
    dialog = NetworkDialog(ModelDescribed("mynet", 3, 64, (), MODULES, (), ()))
    qtbot.addWidget(dialog)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    tree = dialog.findChild(QTreeWidget, "networkTree")
    root = tree.topLevelItem(0)
    items = (root, root.child(0), root.child(0).child(0))
    for scheme in ("light", "dark"):
        theme.apply(qapp, scheme)
        muted = QColor(theme.current().muted)
        assert [each.foreground(1).color() for each in items] == [muted] * 3
