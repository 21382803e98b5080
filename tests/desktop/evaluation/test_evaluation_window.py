"""The evaluation window: the confusion matrix, its images, and why."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QListView,
    QProgressBar,
    QPushButton,
    QTableView,
    QWidget,
)

from flowergui.confusion_matrix import ConfusionMatrix
from flowergui.desktop.evaluation.evaluation_window import EvaluationWindow
from flowergui.desktop.prediction.photo_strip import PhotoAnswer
from flowergui.desktop.run_names import checkpoint_label
from flowergui.desktop.widgets.photo_view import PhotoView
from flowergui.events import Evaluated, Explained, PhotoEvaluated, Predicted
from flowergui.facts import Prediction, Problem
from flowergui.text import percent_digits

BEST = "/models/2026-11-23_14-02-11_mynet_scratch/best.pth"

ERRORS = [("rose", "tulip", 0.9), ("rose", "tulip", 0.6), ("tulip", "daisy", 0.7)]
CORRECT = [("rose", "rose", 0.8), ("rose", "rose", 0.55), ("daisy", "daisy", 0.95)]


@pytest.fixture
def evaluated(tmp_path) -> list[PhotoEvaluated]:
    made = []
    for number, (label, top, share) in enumerate(CORRECT + ERRORS):
        path = tmp_path / label / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (30, 20), "red").save(path)
        made.append(PhotoEvaluated(str(path), label, top, share, share if label == top else 0.05))
    return made


def result(evaluated, **changes) -> Evaluated:
    tally = ConfusionMatrix(evaluated)
    values = {
        "checkpoint": BEST,
        "epoch": 7,
        "folder": "/photos/flowers",
        "photos": tally.photos,
        "accuracy": tally.accuracy,
        "top5": None,
        "loss": 0.5,
        "classes": tuple(tally.score(name) for name in tally.names()),
        "confusions": tally.confusions(),
        "most_confident_errors": (),
        "problems": (),
        "trained_on": 0,
        "unknown_classes": (),
    }
    return Evaluated(**{**values, **changes})


@pytest.fixture
def window(qtbot):
    made = EvaluationWindow()
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.begin(BEST, checkpoint_label(BEST))
    return made


@pytest.fixture
def done(window, evaluated):
    window.show_photos(evaluated)
    window.show_result(result(evaluated))
    return window


def label(window, name) -> str:
    return window.findChild(QLabel, name).text()


def button(window, name) -> QPushButton:
    return window.findChild(QPushButton, name)


def cells(window):
    return window.findChild(QTableView, "confusions")


def texts(window) -> list[list[str]]:
    model = cells(window).model()
    return [
        [model.index(row, column).data() or "" for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def photos(window) -> list[PhotoEvaluated]:
    model = window.findChild(QListView, "evaluatedPhotos").model()
    return [model.index(row, 0).data(Qt.ItemDataRole.UserRole) for row in range(model.rowCount())]


def choose(window, row, column):
    cells(window).setCurrentIndex(cells(window).model().index(row, column))


def wait_for_tile(qtbot, window, path: str, color: str) -> None:
    """Until the small picture of a file has this colour."""
    thumbnails = window.findChild(QListView, "evaluatedPhotos").thumbnails

    def has_color() -> bool:
        picture = thumbnails.picture(path)
        return picture is not None and picture.toImage().pixelColor(15, 10) == QColor(color)

    qtbot.waitUntil(has_color)


def wait_for_view(qtbot, window, color: str) -> None:
    """Until the photo that is looked at has this colour."""
    view = window.findChild(PhotoView)
    middle = view.rect().center()
    qtbot.waitUntil(lambda: view.grab().toImage().pixelColor(middle) == QColor(color))


def test_the_table_grows_with_every_photo(window, evaluated):
    assert window.isVisible()
    window.show_photos(evaluated[:1])
    assert texts(window) == [["1", "100"], ["100", ""]]
    window.show_photos(evaluated[1:])
    assert texts(window) == [
        ["1", "", "", "100"],
        ["", "2", "2", "50"],
        ["1", "", "", "0"],
        ["50", "100", "0", ""],
    ]
    names = [
        [cells(window).model().headerData(n, way) for n in range(4)]
        for way in (Qt.Orientation.Horizontal, Qt.Orientation.Vertical)
    ]
    assert names == [["daisy", "rose", "tulip", each] for each in ("recall, %", "precision, %")]
    assert label(window, "evaluationAccuracy").replace("\xa0", " ") == "50.0%"
    assert label(window, "evaluationSentence") == "3 of 6 images predicted correctly"
    assert photos(window) == []  # each that came would change their order


def test_the_most_confident_errors_come_first(done, evaluated):
    assert photos(done) == [evaluated[3], evaluated[5], evaluated[4]]
    assert label(done, "choiceTitle") == "Errors: 3 images"
    assert not button(done, "allErrorsButton").isVisible()


@pytest.mark.parametrize(
    ("row", "column", "numbers", "title"),
    [
        (1, 2, [3, 4], "rose predicted as tulip: 2 images"),
        (1, 1, [1, 0], "rose predicted correctly: 2 images"),  # the least sure first
        (2, 0, [5], "tulip predicted as daisy: 1 image"),
        (1, 3, [3, 4], "rose predicted as another class: 2 images"),
        (3, 0, [5], "Other classes predicted as daisy: 1 image"),
        (0, 1, [], "daisy predicted as rose: 0 images"),
    ],
)
def test_a_cell_shows_its_photos(done, evaluated, row, column, numbers, title):
    choose(done, row, column)
    assert photos(done) == [evaluated[number] for number in numbers]
    assert label(done, "choiceTitle") == title
    button(done, "allErrorsButton").click()
    assert label(done, "choiceTitle") == "Errors: 3 images"
    choose(done, row, column)
    assert label(done, "choiceTitle") == title


@pytest.mark.parametrize(
    ("header", "section", "title"),
    [
        ("verticalHeader", 1, "rose predicted as another class: 2 images"),
        ("horizontalHeader", 2, "Other classes predicted as tulip: 2 images"),
    ],
)
def test_a_name_shows_what_the_class_is_taken_for(done, header, section, title):
    getattr(cells(done), header)().sectionClicked.emit(section)
    assert label(done, "choiceTitle") == title


def test_figures_explain_themselves(done):
    model = cells(done).model()
    tips = {
        (1, 2): "2 of 4 images of rose predicted as tulip",
        (1, 1): "2 of 4 images of rose predicted correctly",
        (1, 3): "2 of 4 images of rose predicted correctly",
        (3, 0): "1 of 2 images predicted as daisy are correct",
    }
    for (row, column), tip in tips.items():
        assert model.index(row, column).data(Qt.ItemDataRole.ToolTipRole) == tip


def test_a_chosen_photo_is_asked_about_and_lit(qtbot, done, evaluated):
    with qtbot.waitSignal(done.prediction_requested) as asked:
        choose(done, 1, 2)
    assert asked.args == [evaluated[3].path]
    predicted = Predicted(
        evaluated[3].path, (Prediction("tulip", 0.9), Prediction("rose", 0.05)), BEST, 7
    )
    heats = Explained(evaluated[3].path, (((1.0, 0.0), (0.0, 0.0)),) * 2).heatmaps
    done.show_answer(PhotoAnswer("/another.png", predicted=predicted))  # of one looked at before
    assert not button(done, "evaluatedWhyButton").isEnabled()
    done.show_answer(PhotoAnswer(evaluated[3].path, predicted=predicted, heatmaps=heats))
    button(done, "evaluatedWhyButton").click()
    assert label(done, "evaluatedReasonCaption") == "Bright: what speaks for tulip."


def test_the_grid_reads_as_words(done):
    grid = done.findChild(QListView, "evaluatedPhotos")
    said = grid.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "3.png: predicted tulip (90%), actual rose (5%)"
    choose(done, 0, 0)
    said = grid.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "2.png: predicted daisy (95%), which is correct"


def test_what_was_left_out_is_said(window, evaluated):
    window.show_photos(evaluated)
    problem = Problem("rose/torn.jpg", "no picture")
    window.show_result(
        result(evaluated, problems=(problem,), trained_on=300, unknown_classes=("oak",), top5=0.97)
    )
    assert label(window, "evaluationNote") == (
        "With 95% confidence, the accuracy on new images lies between 18.8% and 81.2%. "
        "1 image could not be read (rose/torn.jpg: no picture). Skipped (unknown classes): oak. "
        "Most often confused: rose as tulip (2)."
    )
    assert "on unseen images in flowers" in label(window, "evaluationSubject")
    assert "97.0" in label(window, "evaluationSentence")
    assert "epoch 7" in label(window, "evaluationSubject")
    window.begin(BEST, checkpoint_label(BEST))
    assert not window.findChild(QLabel, "evaluationNote").isVisible()


def test_a_failure_is_all_there_is(window, evaluated):
    window.show_failure("There is no folder /photos.")
    assert label(window, "evaluationError") == "There is no folder /photos."
    assert not cells(window).isVisible()
    assert not button(window, "saveTableButton").isEnabled()
    window.begin(BEST, checkpoint_label(BEST))
    assert cells(window).isVisible()
    assert not window.findChild(QLabel, "evaluationError").isVisible()
    window.show_photos(evaluated)
    window.show_failure("It broke off.")  # what was evaluated stays
    assert cells(window).isVisible()
    assert len(photos(window)) == 3
    assert button(window, "saveTableButton").isEnabled()


def test_all_right_is_said(window, evaluated):
    window.show_photos(evaluated[:3])
    window.show_result(result(evaluated[:3]))
    assert label(window, "choiceTitle") == "Errors: 0 images"
    assert label(window, "choiceOrder") == "There are none."


def test_the_predictions_are_asked_for_as_a_table(qtbot, done, evaluated, tmp_path):
    button(done, "saveTableButton").click()
    dialog = done.findChild(QFileDialog)
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    with qtbot.waitSignal(done.table_requested) as asked:
        dialog.fileSelected.emit(str(tmp_path / "table.csv"))
    dialog.close()
    assert asked.args == [str(tmp_path / "table.csv")]
    assert list(done.photos) == evaluated


def test_other_photos_can_be_asked_for(qtbot, done, tmp_path):
    button(done, "otherPhotosButton").click()
    dialog = done.findChild(QFileDialog)
    with qtbot.waitSignal(done.folder_requested) as wanted:
        dialog.fileSelected.emit(str(tmp_path))
    dialog.close()
    assert wanted.args == [str(tmp_path)]


def test_a_photo_is_found_where_it_lies(done, evaluated, monkeypatch):
    opened = []

    def open_url(url):
        opened.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    choose(done, 1, 2)
    button(done, "showInFolderButton").click()
    assert opened == [str(Path(evaluated[3].path).parent)]


def test_without_a_file_manager_it_says_where_the_photo_lies(done, evaluated, monkeypatch):
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    choose(done, 1, 2)
    button(done, "showInFolderButton").click()
    said = [label.text() for label in done.findChildren(QLabel) if label.isVisible()]
    folder = Path(evaluated[3].path).parent
    assert f"No file manager could be opened. The folder is {folder}." in said


def test_thousands_of_classes_scroll(qtbot, window):
    names = [f"species {number:04}" for number in range(3_000)]
    window.show_photos([PhotoEvaluated("/x.jpg", name, name, 0.5, 0.5) for name in names])
    model = cells(window).model()
    assert model.rowCount() == model.columnCount() == 3_001
    assert cells(window).horizontalScrollBar().maximum() > 0
    cells(window).scrollToBottom()
    window.grab()


def test_it_fits_a_small_screen(window, evaluated):
    assert window.minimumSizeHint().width() < 640
    assert window.minimumSizeHint().height() < 480
    widget = window.findChild(QWidget, "confusions")
    window.resize(640, 480)
    assert widget.width() > 200


def test_what_nobody_knows_is_not_claimed(window, evaluated):
    window.show_photos(evaluated)
    window.show_result(result(evaluated, trained_on=None))
    assert "unseen" not in label(window, "evaluationSubject")
    assert label(window, "evaluationNote") == (
        "The training set is unknown: some of these images may have been used for training. "
        "Most often confused: rose as tulip (2)."
    )


def test_how_far_it_is_is_seen(window):
    bar = window.findChild(QProgressBar)
    window.show_progress(32, 96)
    assert (bar.value(), bar.maximum(), bar.isVisible()) == (32, 96, True)
    window.show_failure("It broke off.")
    assert not bar.isVisible()


def test_what_is_chosen_during_the_evaluation_stays_chosen(qtbot, window, evaluated):
    window.show_photos(evaluated[:4])  # no daisy is named for a tulip yet
    choose(window, 1, 1)
    assert label(window, "choiceTitle") == "rose predicted correctly: 2 images"
    grid = window.findChild(QListView, "evaluatedPhotos")
    grid.setCurrentIndex(grid.model().index(1, 0))
    looked_at = window.shown.path
    others = [PhotoEvaluated(evaluated[0].path, "aster", "rose", 0.5, 0.1), *evaluated[4:]]
    window.show_photos(others)  # the rows move down
    assert cells(window).currentIndex().data(Qt.ItemDataRole.UserRole) == ("rose", "rose")
    window.show_result(result([*evaluated, others[0]]))
    assert label(window, "choiceTitle") == "rose predicted correctly: 2 images"
    assert window.shown.path == looked_at


def test_the_tab_key_passes_by(qtbot, done):
    button(done, "saveTableButton").setFocus()
    qtbot.keyClick(done, Qt.Key.Key_Tab)
    cells(done).setFocus(Qt.FocusReason.TabFocusReason)
    assert label(done, "choiceTitle") == "Errors: 3 images"
    qtbot.keyClick(cells(done), Qt.Key.Key_Down)
    assert label(done, "choiceTitle") != "Errors: 3 images"


def test_return_explains_a_prediction_and_no_more(qtbot, done, evaluated):
    predictions = (Prediction("tulip", 0.9), Prediction("rose", 0.05))
    predicted = Predicted(evaluated[3].path, predictions, BEST, 7)
    done.show_answer(
        PhotoAnswer(evaluated[3].path, predicted=predicted, heatmaps=(((1.0,),), ((0.5,),)))
    )
    table = done.findChild(QTableView, "evaluatedPredictions")
    table.setFocus()
    table.setCurrentIndex(table.model().index(1, 0))
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert button(done, "evaluatedWhyButton").isChecked()
    assert "rose" in label(done, "evaluatedReasonCaption")
    assert not any(each.autoDefault() for each in done.findChildren(QPushButton))


def test_no_digit_is_cut(window):
    """However narrow a cell is, a wrong number is worse than a short one."""
    names = [f"class {number:02}" for number in range(12)]
    window.show_photos([PhotoEvaluated("/x.jpg", names[0], names[1], 0.5, 0.5)] * 12_345)
    window.show_photos([PhotoEvaluated("/x.jpg", name, name, 0.5, 0.5) for name in names])
    window.resize(520, 480)
    table = cells(window)
    model, metrics = table.model(), table.fontMetrics()
    for row in range(13):
        for column in range(13):
            index = model.index(row, column)
            text = index.data() or ""
            assert metrics.horizontalAdvance(text) <= table.visualRect(index).width() - 3, text
    assert model.index(0, 1).data() == "12k"
    assert "12,345" in model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0"), (0.001, "1"), (0.5, "50"), (0.999, "99"), (1, "100")]
)
def test_nearly_all_is_not_all(share, text):
    assert percent_digits(share) == text


def test_names_that_look_like_html_are_shown_as_they_are(window):
    odd = "<b>rose</b>"
    window.show_photos([PhotoEvaluated(f"/{odd}.jpg", odd, "tulip", 0.5, 0.1)])
    model = cells(window).model()
    tips = [
        model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole),
        model.headerData(0, Qt.Orientation.Vertical, Qt.ItemDataRole.ToolTipRole),
    ]
    choose(window, 0, 1)
    grid = window.findChild(QListView, "evaluatedPhotos")
    tips.append(grid.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole))
    for each in tips:
        assert "&lt;b&gt;rose" in each


def test_a_name_that_is_no_text_is_asked_for_as_it_is(qtbot, window):
    odd = b"/photos/r\xffse.png".decode("utf-8", "surrogateescape")
    window.show_photos([PhotoEvaluated(odd, "rose", "tulip", 0.5, 0.1)])
    with qtbot.waitSignal(window.prediction_requested) as asked:
        choose(window, 0, 1)
    assert asked.args == [odd]


def test_a_cell_is_painted_in_the_colour_of_its_share(done):
    """Green where it is right, red where it is not, and none where there is nothing."""
    picture, table = done.grab().toImage(), cells(done)

    def colour(row, column):
        corner = table.visualRect(table.model().index(row, column)).topLeft()
        return picture.pixelColor(table.viewport().mapTo(done, corner) + QPoint(8, 8))

    empty = colour(0, 1)
    assert colour(1, 1).green() > colour(1, 1).red()
    assert colour(1, 2).red() > colour(1, 2).green() + 5
    assert empty.red() == pytest.approx(empty.green(), abs=3)


def test_the_table_shows_what_it_grows_to(qtbot, window, evaluated):
    window.show_photos(evaluated)
    with qtbot.waitSignal(cells(window).model().dataChanged):
        window.show_photos(evaluated[:1])


def test_a_photo_is_shown_under_a_name_that_another_had(qtbot, done, evaluated):
    left_out, moved = evaluated[5], evaluated[3]
    choose(done, 2, 0)
    wait_for_view(qtbot, done, "red")
    wait_for_tile(qtbot, done, left_out.path, "red")
    done.show_corrected(left_out, None, "")
    Image.new("RGB", (30, 20), "blue").save(left_out.path)
    done.show_corrected(moved, replace(moved, path=left_out.path, label="tulip"), "")
    choose(done, 2, 2)
    wait_for_tile(qtbot, done, left_out.path, "blue")
    wait_for_view(qtbot, done, "blue")
    done.show_undone(moved.path)
    Image.new("RGB", (30, 20), "lime").save(left_out.path)
    done.show_undone(left_out.path)
    wait_for_tile(qtbot, done, left_out.path, "lime")


def test_a_new_evaluation_shows_files_as_they_are_now(qtbot, done, evaluated):
    wait_for_tile(qtbot, done, evaluated[3].path, "red")
    wait_for_view(qtbot, done, "red")
    Image.new("RGB", (30, 20), "blue").save(evaluated[3].path)
    done.begin(BEST, checkpoint_label(BEST))
    done.show_photos(evaluated)
    done.show_result(result(evaluated))
    wait_for_tile(qtbot, done, evaluated[3].path, "blue")
    wait_for_view(qtbot, done, "blue")
