"""Dropping photos, and showing what the network makes of them."""

import os
import sys
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFileDialog,
    QLabel,
    QListView,
    QProgressBar,
    QPushButton,
    QTableView,
)

from flowergui.desktop.context_menus.photo_window import PhotoWindow
from flowergui.desktop.prediction.drop_zone import DropZone
from flowergui.desktop.prediction.photo_strip import PhotoStrip
from flowergui.desktop.prediction.prediction_panel import PredictionPanel
from flowergui.desktop.run_names import checkpoint_label
from flowergui.desktop.threads import worker
from flowergui.desktop.widgets.labels import ElidedLabel
from flowergui.events import Explained, Predicted, PredictionFailed
from flowergui.facts import Prediction

BEST = "/models/2026-11-23_140211_vgg11_bn_scratch/best.pth"


@pytest.fixture(autouse=True)
def all_threads_end(qapp):
    yield
    assert worker.end_all(5_000)


@pytest.fixture
def panel(qtbot):
    panel = PredictionPanel()
    qtbot.addWidget(panel)
    panel.resize(290, 600)
    panel.show()
    return panel


@pytest.fixture
def zone(panel):
    return panel.findChild(DropZone, "dropZone")


@pytest.fixture
def photos(tmp_path):
    paths = []
    for name, color in (("rose", "red"), ("tulip", "yellow"), ("iris", "blue")):
        paths.append(str(tmp_path / f"{name}.png"))
        Image.new("RGB", (60, 40), color).save(paths[-1])
    return paths


def guessed(path, *pairs, epoch=12):
    return Predicted(path, tuple(Prediction(*pair) for pair in pairs), BEST, epoch)


def files(*paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drop(widget, mime):
    """Drags over and drops; says whether it was welcome."""
    actions, left, none = (
        Qt.DropAction.CopyAction,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(QPoint(5, 5), actions, mime, left, none)
    enter.ignore()
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), actions, mime, left, none))
    return enter.isAccepted()


def rows(panel):
    model = panel.findChild(QAbstractItemView, "predictions").model()
    return [
        tuple(model.index(row, column).data() for column in (0, 1))
        for row in range(model.rowCount())
    ]


def text(panel, name):
    return panel.findChild(QLabel, name).text()


def color_shown(zone):
    return zone.grab().toImage().pixelColor(zone.width() // 2, zone.height() // 2)


# --- taking -----------------------------------------------------------------------------------


def test_dropped_photos_are_wished_for(qtbot, panel, zone, photos):
    with qtbot.waitSignal(panel.images_dropped) as dropped:
        assert drop(zone, files(*photos))
    assert dropped.args == [photos]
    assert not zone.property("hot")


def test_a_folder_a_checkpoint_and_photos_are_told_apart(qtbot, panel, zone, photos, tmp_path):
    folder, checkpoint = tmp_path / "flowers", tmp_path / "Last.PTH"
    folder.mkdir()
    checkpoint.touch()
    told = []
    for signal in (panel.images_dropped, panel.checkpoint_dropped, panel.folder_dropped):
        signal.connect(told.append)
    assert drop(zone, files(folder, photos[0], checkpoint))
    qtbot.waitUntil(lambda: len(told) == 3)
    assert told == [str(folder), str(checkpoint), [photos[0]]]


def test_a_folder_of_loose_photos_is_predicted(qtbot, panel, zone, photos, tmp_path):
    with (
        qtbot.waitSignal(panel.images_dropped) as dropped,
        qtbot.assertNotEmitted(panel.folder_dropped),
    ):
        assert drop(zone, files(tmp_path))
    assert dropped.args == [sorted(photos)]


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
def test_a_name_that_is_no_utf8_arrives_as_it_is(qtbot, panel, zone, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    Image.new("RGB", (8, 8)).save(name)
    mime = QMimeData()
    mime.setData("text/uri-list", f"file://{tmp_path}/caf%E9.png\r\n".encode())
    with qtbot.waitSignal(panel.images_dropped) as dropped:
        assert drop(zone, mime)
    assert dropped.args == [[name]]
    QGuiApplication.clipboard().setText(f"{tmp_path}/caf\ufffd.png")  # as a terminal shows it
    with qtbot.waitSignal(panel.images_dropped) as pasted:
        panel.paste()
    assert pasted.args == [[name]]
    panel.show_waiting([name])
    panel.show_prediction(guessed(name, ("rose", 0.9)))
    assert rows(panel) == [("rose", "90%")]


@pytest.mark.parametrize("form", ['"{}"', "'{}'", "file://{}", "~/{name}", "  {}  "])
def test_a_path_is_pasted_in_any_form(qtbot, panel, photos, tmp_path, monkeypatch, form: str):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    QGuiApplication.clipboard().setText(form.format(photos[0], name=Path(photos[0]).name))
    with qtbot.waitSignal(panel.images_dropped) as pasted:
        panel.paste()
    assert pasted.args == [[photos[0]]]


def test_a_picture_is_written_beside_the_window(qtbot, panel):
    """One of 108 megapixels takes seconds."""
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    taken = []
    panel.images_dropped.connect(taken.append)
    panel.paste()
    assert taken == []
    qtbot.waitUntil(lambda: len(taken) == 1)


def test_words_are_not_welcome(qtbot, panel, zone):
    mime = QMimeData()
    mime.setText("a rose")
    with qtbot.assertNotEmitted(panel.images_dropped):
        assert not drop(zone, mime)


def test_a_web_address_says_what_to_do_instead(qtbot, panel, zone):
    """Browsers drag some pictures as their address only; it was refused without a word."""
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/rose.jpg")])
    with qtbot.waitSignal(panel.refused) as refused:
        assert drop(zone, mime)
    assert "only the web address of an image" in refused.args[0]
    QGuiApplication.clipboard().setText("https://example.org/rose.jpg")
    with qtbot.waitSignal(panel.refused) as refused:
        panel.paste()
    assert "only the web address of an image" in refused.args[0]


def test_an_empty_clipboard_says_what_to_do(qtbot, panel):
    QGuiApplication.clipboard().clear()
    with qtbot.waitSignal(panel.refused) as refused:
        panel.findChild(QPushButton, "pasteButton").click()
    assert refused.args[0].startswith("The clipboard holds no image.")


def test_a_picture_dragged_from_a_browser_becomes_a_file(qtbot, panel, zone):
    image = QImage(8, 6, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    mime = QMimeData()
    mime.setImageData(image)
    with qtbot.waitSignal(panel.images_dropped) as dropped:
        assert drop(zone, mime)
    [[path]] = dropped.args
    assert QImage(path).size() == image.size()


def test_something_droppable_above_it_shows(zone, photos):
    mime = files(*photos)  # Qt does not keep it
    enter = QDragEnterEvent(
        QPoint(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(zone, enter)
    assert zone.property("hot") is True


def test_pasting_files_a_path_or_a_picture(qtbot, panel, zone, photos):
    clipboard = QGuiApplication.clipboard()
    clipboard.setMimeData(files(photos[1]))
    with qtbot.waitSignal(panel.images_dropped) as pasted:
        panel.findChild(QPushButton, "pasteButton").click()
    assert pasted.args == [[photos[1]]]
    clipboard.setText(photos[2])
    with qtbot.waitSignal(panel.images_dropped) as pasted:
        panel.paste()
    assert pasted.args == [[photos[2]]]
    clipboard.setImage(QImage(photos[0]))
    with qtbot.waitSignal(panel.images_dropped) as pasted:
        panel.paste()
    [[path]] = pasted.args
    assert path not in photos
    assert QImage(path).pixelColor(3, 3).red() == 255
    clipboard.setText(QUrl.fromLocalFile(photos[0]).toString())
    with qtbot.waitSignal(panel.images_dropped) as pasted:
        panel.paste()
    assert pasted.args == [[photos[0]]]
    clipboard.setText("no such file")
    with qtbot.assertNotEmitted(panel.images_dropped), qtbot.waitSignal(panel.refused) as refused:
        panel.paste()
    assert refused.args[0].startswith("This text is not the path of a file.")


def test_two_lines_are_kept_for_whose_answer_it_is(panel):
    caption = panel.findChild(QLabel, "checkpointCaption")
    assert caption.minimumHeight() == 2 * caption.fontMetrics().lineSpacing()


@pytest.mark.parametrize("way", ["click", "return", "button"])
def test_photos_can_be_chosen_in_a_dialog(qtbot, panel, zone, photos, way):
    if way == "click":
        qtbot.mouseClick(zone, Qt.MouseButton.LeftButton)
    elif way == "return":
        qtbot.keyClick(zone, Qt.Key.Key_Return)
    else:
        panel.findChild(QPushButton, "browsePhotosButton").click()
    dialog = panel.findChild(QFileDialog)
    dialog.selectFile(photos[0])
    with qtbot.waitSignal(panel.images_dropped) as chosen:
        dialog.accept()
    assert chosen.args == [[photos[0]]]


# --- showing ----------------------------------------------------------------------------------


def test_a_guess_is_shown_likeliest_first_with_its_picture_and_who_answered(
    qtbot, panel, zone, photos
):
    panel.show_waiting([photos[0]])
    busy = panel.findChild(QProgressBar)
    assert busy.isVisible()
    panel.show_prediction(
        guessed(photos[0], ("rose", 0.914), ("tulip", 0.0712), ("iris", 0.0138), ("lily", 0.001))
    )
    assert not busy.isVisible()
    assert rows(panel) == [
        ("rose", "91%"),
        ("tulip", "7%"),
        ("iris", "1%"),
        ("lily", "<\xa01%"),
    ]
    model = panel.findChild(QAbstractItemView, "predictions").model()
    assert model.index(0, 1).data(Qt.ItemDataRole.UserRole) == 0.914
    assert text(panel, "photoName") == "rose.png"
    caption = "Predicted by vgg11_bn, scratch, 2026-11-23 14:02, epoch 12."
    assert text(panel, "checkpointCaption") == caption
    qtbot.waitUntil(lambda: color_shown(zone).red() > 200 and color_shown(zone).blue() < 50)


def test_several_photos_are_gone_through_each_with_its_guess(qtbot, panel, zone, photos):
    panel.show_waiting(photos)
    strip = panel.findChild(QListView, "photoStrip")
    assert strip.isVisible()
    for path, name in zip(photos, ("rose", "tulip", "iris"), strict=True):
        panel.show_prediction(guessed(path, (name, 0.75)))
    assert rows(panel) == [("rose", "75%")]
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert rows(panel) == [("tulip", "75%")]
    assert zone.path == photos[1]
    tip = strip.model().index(2, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == "iris.png: iris, 75%"
    panel.show_waiting(photos[:1])
    assert not strip.isVisible()


def test_a_file_that_was_edited_is_shown_as_it_is_now(qtbot, panel, zone, photos):
    strip = panel.findChild(PhotoStrip)

    def reds() -> tuple[bool, bool]:
        """Whether the first photo is red, and its thumbnail is."""
        small = strip.thumbnails.picture(photos[0])
        pixel = small.toImage().pixelColor(3, 3) if small else QColor()
        return color_shown(zone).red() > 200, pixel.red() > 200

    panel.show_waiting(photos)
    qtbot.waitUntil(lambda: reds() == (True, True))
    Image.new("RGB", (40, 30), (0, 0, 255)).save(photos[0])
    panel.show_waiting(photos)
    qtbot.waitUntil(lambda: reds() == (False, False))
    qtbot.waitUntil(lambda: color_shown(zone).blue() > 200)


def test_an_answer_to_another_photo_does_not_disturb(panel, photos):
    panel.show_waiting(photos)
    panel.show_prediction(guessed(photos[2], ("iris", 0.5)))
    assert rows(panel) == []
    assert text(panel, "photoName") == "rose.png"


def test_a_photo_that_cannot_be_read_says_why_and_the_others_go_on(qtbot, panel, photos):
    panel.show_waiting(photos)
    panel.show_failed(PredictionFailed(photos[0], "This file is no picture."))
    assert text(panel, "predictionError") == "This file is no picture."
    assert not panel.findChild(QProgressBar).isVisible()
    panel.show_prediction(guessed(photos[1], ("tulip", 1.0)))
    qtbot.keyClick(panel.findChild(QListView, "photoStrip"), Qt.Key.Key_Right)
    assert rows(panel) == [("tulip", "100%")]
    assert not panel.findChild(QLabel, "predictionError").isVisible()


def test_without_a_network_it_says_what_to_do(panel, photos):
    panel.show_waiting(photos[:1])
    panel.show_no_model()
    assert "drop a checkpoint" in text(panel, "checkpointCaption")
    assert "No network" in text(panel, "predictionError")
    assert not panel.findChild(QProgressBar).isVisible()


def test_which_checkpoint_will_answer_is_told_beforehand(panel):
    panel.set_checkpoint(BEST)
    predicts = "Predicts with vgg11_bn, scratch, 2026-11-23 14:02."
    assert text(panel, "checkpointCaption") == predicts


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (BEST, "vgg11_bn, scratch, 2026-11-23 14:02"),
        ("/home/me/flowers.pth", "flowers.pth of me"),
        ("last.pth", "last.pth"),
    ],
)
def test_checkpoints_are_named_in_words(path, words):
    assert checkpoint_label(path) == words


@pytest.mark.parametrize(
    ("share", "words"), [(1.0, "100%"), (0.9996, ">\xa099%"), (0.004, "<\xa01%"), (0.0, "0%")]
)
def test_a_probability_is_not_rounded_to_certainty(panel, photos, share, words):
    panel.show_prediction(guessed(photos[0], ("rose", share)))
    assert rows(panel) == [("rose", words)]


def test_it_fits_a_narrow_column(panel, photos):
    panel.show_prediction(guessed(photos[0], ("a flower with a very long name indeed", 0.5)))
    assert panel.minimumSizeHint().width() <= 290


def test_a_photo_that_fails_is_answered_by_nobody(panel, photos):
    panel.set_checkpoint(BEST)
    panel.show_prediction(guessed(photos[0], ("rose", 0.9)))
    panel.show_failed(PredictionFailed(photos[1], "It is empty."))
    panel.show_waiting([photos[1]])
    panel.show_failed(PredictionFailed(photos[1], "It is empty."))
    assert text(panel, "checkpointCaption").endswith("vgg11_bn, scratch, 2026-11-23 14:02.")


def test_a_name_without_room_is_shortened_in_its_middle(qtbot):
    label = ElidedLabel(Qt.TextElideMode.ElideMiddle)
    qtbot.addWidget(label)
    label.setText("a" * 200)
    label.resize(90, 20)
    long = label.grab().toImage()
    label.setText(label.fontMetrics().elidedText("a" * 200, Qt.TextElideMode.ElideMiddle, 90))
    assert long == label.grab().toImage()


# --- why ----------------------------------------------------------------------------------------

LEFT, NOWHERE = ((1.0, 0.0), (1.0, 0.0)), ((0.0, 0.0), (0.0, 0.0))


def lit(panel) -> tuple[bool, bool]:
    """Whether the left and the right side of the photo's middle are as bright as the photo is."""
    zone = panel.findChild(DropZone)
    image, middle = zone.grab().toImage(), zone.rect().center()
    far = min(zone.width(), zone.height()) // 2 - 14
    sides = (image.pixelColor(middle.x() + x, middle.y()) for x in (-far, far))
    left, right = (max(colour.getRgb()[:3]) > 150 for colour in sides)
    return left, right


@pytest.fixture
def bright(tmp_path):
    path = tmp_path / "bright.png"
    Image.new("RGB", (300, 300), (250, 250, 250)).save(path)
    return str(path)


def test_what_speaks_for_a_class_is_lit_once_it_is_asked_for(qtbot, panel, bright):
    panel.resize(300, 500)
    panel.show()
    why = panel.findChild(QPushButton, "whyButton")
    reason = panel.findChild(QLabel, "reasonCaption")
    asked = []
    panel.explanation_requested.connect(asked.append)
    panel.show_waiting([bright])
    assert not why.isEnabled()
    panel.show_prediction(guessed(bright, ("rose", 0.9), ("tulip", 0.1)))
    qtbot.waitUntil(lambda: panel.findChild(DropZone)._pictures.picture(bright) is not None)
    assert lit(panel) == (True, True)
    assert not asked
    why.click()
    assert [each.path for each in asked] == [bright]
    assert lit(panel) == (True, True)
    assert (reason.isVisible(), reason.text()) == (True, "Finding what speaks for rose…")
    panel.show_explained(Explained(bright, (LEFT, NOWHERE)))
    assert lit(panel) == (True, False)
    assert reason.text() == "Bright: what speaks for rose."
    table = panel.findChild(QTableView, "predictions")
    table.clicked.emit(table.model().index(1, 0))
    assert lit(panel) == (False, False)
    assert reason.text() == "Nothing in the image speaks for tulip."
    why.click()
    assert lit(panel) == (True, True)
    assert not reason.isVisible()
    why.click()
    assert len(asked) == 1  # it is known


def test_a_click_on_a_prediction_asks_why(qtbot, panel, bright):
    asked = []
    panel.explanation_requested.connect(asked.append)
    panel.show_prediction(guessed(bright, ("rose", 0.9), ("tulip", 0.1)))
    table, why = (
        panel.findChild(QTableView, "predictions"),
        panel.findChild(QPushButton, "whyButton"),
    )
    table.clicked.emit(table.model().index(1, 0))
    assert why.isChecked()
    assert len(asked) == 1
    panel.show_explained(Explained(bright, (NOWHERE, LEFT)))
    assert text(panel, "reasonCaption") == "Bright: what speaks for tulip."
    assert table.marked == 1
    panel.show_prediction(guessed("other.png", ("rose", 1.0)))  # "Why?" stays on
    assert [each.path for each in asked] == [bright, "other.png"]
    panel.show_explained(Explained("other.png", (LEFT,)))
    assert text(panel, "reasonCaption") == "Bright: what speaks for rose."  # the likeliest


def test_a_click_on_the_photo_opens_it_in_full_size(qtbot, panel, zone, bright):
    panel.show_prediction(guessed(bright, ("rose", 0.9)))
    qtbot.mouseClick(zone, Qt.MouseButton.LeftButton)
    opened = panel.window().findChild(PhotoWindow)
    assert opened.windowTitle() == os.path.basename(bright)
    assert zone.findChild(QFileDialog) is None
    opened.close()


def test_a_double_click_on_the_photo_opens_one_window(qtbot, panel, zone, bright):
    panel.show_prediction(guessed(bright, ("rose", 0.9)))
    qtbot.mouseClick(zone, Qt.MouseButton.LeftButton)
    qtbot.mouseDClick(zone, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(zone, Qt.MouseButton.LeftButton)
    (opened,) = panel.window().findChildren(PhotoWindow)
    opened.close()


@pytest.mark.parametrize("own", [True, False])
def test_what_is_dragged_from_the_same_window_is_not_taken(qtbot, panel, zone, bright, own):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(bright)])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, mime, left, none)
    event.ignore()
    event.source = lambda: panel if own else None
    zone.dragEnterEvent(event)
    assert event.isAccepted() != own


def test_the_same_prediction_once_more_keeps_its_heatmaps(qtbot, panel, bright):
    asked = []
    panel.explanation_requested.connect(asked.append)
    panel.show_prediction(guessed(bright, ("rose", 0.9)))
    panel.findChild(QPushButton, "whyButton").click()
    panel.show_prediction(guessed(bright, ("rose", 0.9)))
    panel.show_explained(Explained(bright, (LEFT,)))
    panel.show_prediction(guessed(bright, ("rose", 0.9)))
    assert text(panel, "reasonCaption") == "Bright: what speaks for rose."
    panel.show_prediction(guessed(bright, ("rose", 0.7), epoch=13))
    assert text(panel, "reasonCaption") == "Finding what speaks for rose…"
    assert len(asked) == 2


def test_the_keyboard_asks_why(qtbot, panel, bright):
    panel.show_prediction(guessed(bright, ("rose", 0.9), ("tulip", 0.1)))
    table = panel.findChild(QTableView, "predictions")
    table.setCurrentIndex(table.model().index(1, 0))
    qtbot.keyClick(table, Qt.Key.Key_Return)
    panel.show_explained(Explained(bright, (NOWHERE, LEFT)))
    assert text(panel, "reasonCaption") == "Bright: what speaks for tulip."


def test_an_explanation_that_nobody_waits_for_is_ignored(panel, bright):
    panel.show_prediction(guessed(bright, ("rose", 0.9)))
    panel.show_explained(Explained("another.png", (LEFT,)))
    assert [each.path for each in panel.photos] == [bright]
    assert not panel.photos[0].heatmaps
