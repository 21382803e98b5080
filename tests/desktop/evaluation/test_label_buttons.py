"""Wrong labels are corrected where they are seen: in the evaluation window."""

import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QListView, QPushButton, QStyle, QTableView
from scripted import banner_text, button, drop, evaluation, find

from flowergui import tasks
from flowergui.confusion_matrix import ConfusionMatrix
from flowergui.desktop.evaluation.class_dialog import ClassDialog
from flowergui.desktop.evaluation.evaluation_controller import EvaluationController
from flowergui.desktop.evaluation.label_buttons import LabelButtons
from flowergui.desktop.widgets.search_field import SearchField
from flowergui.events import Evaluated, PhotoEvaluated, Preparing

PHOTOS = (
    ("rose", "1.jpg", "tulip", 0.9),
    ("rose", "2.jpg", "tulip", 0.8),
    ("rose", "3.jpg", "rose", 0.95),
    ("tulip", "4.jpg", "rose", 0.7),
    ("tulip", "5.jpg", "tulip", 0.99),
)


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    folder = tmp_path / "flowers"
    for label, name, _, _ in PHOTOS:
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / name).write_text(name)
    return folder


@pytest.fixture
def evaluated(qtbot, window, script, flowers, monkeypatch):
    """The evaluation window with two roses that were taken for tulips, and a tulip for a rose."""

    def evaluate(checkpoint: str, folder: str, *, device: str) -> Any:
        photos = [
            PhotoEvaluated(
                str(flowers / label / name), label, top, share, share if label == top else 0.05
            )
            for label, name, top, share in PHOTOS
        ]
        yield from photos
        matrix = ConfusionMatrix(photos)
        scores = tuple(matrix.score(name) for name in matrix.names())
        yield Evaluated(
            checkpoint, 1, str(flowers), 5, matrix.accuracy, None, 0.7, scores,
            matrix.confusions(), (), (), 0, (),
        )  # fmt: skip

    monkeypatch.setattr(tasks, "evaluate", evaluate)
    drop(window, ["/x/mine.pth"])
    button(window, "evaluationButton").click()
    qtbot.waitUntil(lambda: evaluation(window) is not None and evaluation(window).is_finished)
    return evaluation(window)


def listed(shown) -> list[str]:
    model = find(shown, QListView, "evaluatedPhotos").model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def said(shown, name: str) -> str:
    return find(shown, QLabel, name).text()


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_wrong_label_becomes_the_predicted_class(qtbot, evaluated, flowers):
    assert listed(evaluated) == ["1.jpg", "2.jpg", "4.jpg"]
    assert said(evaluated, "evaluationAccuracy") == "40.0%"
    move = button(evaluated, "moveToPredictedButton")
    assert move.text() == "Move to tulip"
    move.click()
    qtbot.waitUntil(lambda: listed(evaluated) == ["2.jpg", "4.jpg"])
    assert (flowers / "tulip" / "1.jpg").is_file()
    assert said(evaluated, "evaluationAccuracy") == "60.0%"
    assert said(evaluated, "evaluatedPhotoName") == "2.jpg"  # the next one is looked at
    assert said(evaluated, "labelNote") == f"1.jpg is in {flowers / 'tulip'} now."


def test_corrections_are_undone_one_after_the_other(qtbot, evaluated, window, flowers):
    before, undo = files(flowers), button(evaluated, "undoLabelButton")
    assert not undo.isVisible()
    button(evaluated, "moveToPredictedButton").click()
    qtbot.waitUntil(lambda: listed(evaluated) == ["2.jpg", "4.jpg"])
    button(evaluated, "leaveOutButton").click()
    qtbot.waitUntil(lambda: listed(evaluated) == ["4.jpg"])
    (warning,) = window.controllers.evaluation.warnings  # if the language changes now
    assert "could no longer be undone" in warning
    left_out = flowers.parent / "flowers-left-out" / "rose"
    assert files(left_out) == {"2.jpg"}
    assert str(left_out) in said(evaluated, "labelNote")
    undo.click()
    qtbot.waitUntil(lambda: listed(evaluated) == ["2.jpg", "4.jpg"])
    assert said(evaluated, "evaluatedPhotoName") == "2.jpg"
    undo.click()
    qtbot.waitUntil(lambda: listed(evaluated) == ["1.jpg", "2.jpg", "4.jpg"])
    assert files(flowers) == before
    assert not left_out.exists()
    assert not undo.isVisible()
    assert window.controllers.evaluation.warnings == ()
    assert said(evaluated, "evaluationAccuracy") == "40.0%"


def test_any_class_can_be_chosen(qtbot, evaluated, flowers):
    menu = button(evaluated, "moveToButton").menu()
    rose, tulip = menu.actions()
    assert (rose.text(), tulip.text()) == ("rose", "tulip")
    rose.trigger()  # it is a rose already
    tulip.trigger()
    qtbot.waitUntil(lambda: listed(evaluated) == ["2.jpg", "4.jpg"])
    assert files(flowers / "rose") == {"2.jpg", "3.jpg"}


def test_the_open_dataset_is_scanned_again(qtbot, window, script, evaluated, flowers):
    window.open_folder(str(flowers))
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    scans = len(script.of("inspect"))
    button(evaluated, "moveToPredictedButton").click()
    qtbot.waitUntil(lambda: len(script.of("inspect")) == scans + 1)
    button(evaluated, "undoLabelButton").click()
    qtbot.waitUntil(lambda: len(script.of("inspect")) == scans + 2)


def test_nothing_is_moved_while_a_run_trains(qtbot, window, evaluated, flowers, photos):
    window.open_folder(photos)
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    button(window, "startButton").click()
    qtbot.waitUntil(button(window, "stopButton").isEnabled)
    before = files(flowers)
    button(evaluated, "moveToPredictedButton").click()
    assert "A run is training." in said(evaluated, "evaluationError")
    assert files(flowers) == before


def test_nothing_is_moved_back_while_a_run_trains(qtbot, window, evaluated, flowers, photos):
    button(evaluated, "moveToPredictedButton").click()
    qtbot.waitUntil(lambda: listed(evaluated) == ["2.jpg", "4.jpg"])
    corrected = files(flowers)
    window.open_folder(photos)
    qtbot.waitUntil(button(window, "startButton").isEnabled)
    button(window, "startButton").click()
    qtbot.waitUntil(button(window, "stopButton").isEnabled)
    button(evaluated, "undoLabelButton").click()
    assert "A run is training." in said(evaluated, "evaluationError")
    assert files(flowers) == corrected


def test_a_correction_that_ends_in_another_evaluation_is_no_part_of_it(
    qtbot, window, evaluated, flowers, monkeypatch
):
    goes_on, correct = threading.Event(), tasks.correct_label

    def slow(*arguments: Any) -> Any:
        goes_on.wait(10)
        yield from correct(*arguments)

    monkeypatch.setattr(tasks, "correct_label", slow)
    button(evaluated, "moveToPredictedButton").click()
    button(evaluated, "evaluateAgainButton").click()
    qtbot.waitUntil(lambda: evaluated.is_finished)
    with qtbot.waitSignal(window.controllers.evaluation.dataset_changed):
        goes_on.set()
    assert (flowers / "tulip" / "1.jpg").is_file()
    assert listed(evaluated) == ["1.jpg", "2.jpg", "4.jpg"]  # as they were when it began
    assert evaluated.findChild(QPushButton, "undoLabelButton").isHidden()


def test_a_correction_goes_on_while_the_dataset_is_listed(
    qtbot, window, evaluated, flowers, monkeypatch
):
    """It says how far it is before it moves the image; another click does not interrupt it."""
    goes_on, correct, seen = threading.Event(), tasks.correct_label, []
    show = EvaluationController._show_correction

    def slow(*arguments: Any) -> Any:
        yield Preparing("Listing images", 10_000, 0)
        goes_on.wait(10)
        yield from correct(*arguments)

    def watched(controller: EvaluationController, events: tuple[Any, ...]) -> None:
        show(controller, events)
        seen.extend(events)

    monkeypatch.setattr(tasks, "correct_label", slow)
    monkeypatch.setattr(EvaluationController, "_show_correction", watched)
    button(evaluated, "moveToPredictedButton").click()
    qtbot.waitUntil(lambda: bool(seen))
    button(evaluated, "leaveOutButton").click()
    goes_on.set()
    qtbot.waitUntil(lambda: listed(evaluated) == ["2.jpg", "4.jpg"])
    assert (flowers / "tulip" / "1.jpg").is_file()


def test_what_can_not_be_moved_is_said_and_stays(qtbot, window, evaluated, flowers):
    (flowers / "rose" / "1.jpg").unlink()
    button(evaluated, "moveToPredictedButton").click()
    qtbot.waitUntil(lambda: "1.jpg can't be moved" in said(evaluated, "evaluationError"))
    assert listed(evaluated) == ["1.jpg", "2.jpg", "4.jpg"]
    assert banner_text(window) == ""
    assert evaluated.findChild(QPushButton, "undoLabelButton").isHidden()


def test_undo_stays_in_sight_when_a_cell_is_empty(qtbot, evaluated):
    table = find(evaluated, QTableView, "confusions")
    table.setCurrentIndex(table.model().index(1, 0))  # tulips taken for roses: one
    qtbot.waitUntil(lambda: listed(evaluated) == ["4.jpg"])
    button(evaluated, "moveToPredictedButton").click()
    qtbot.waitUntil(lambda: listed(evaluated) == [])
    assert button(evaluated, "undoLabelButton").isVisible()
    assert "4.jpg is in" in said(evaluated, "labelNote")
    button(evaluated, "undoLabelButton").click()
    qtbot.waitUntil(lambda: listed(evaluated) == ["4.jpg"])


def test_the_interval_is_that_of_the_corrected_accuracy(qtbot, evaluated):
    before = said(evaluated, "evaluationNote")
    assert "between 11.8% and 76.9%" in before  # 2 of 5
    button(evaluated, "moveToPredictedButton").click()
    qtbot.waitUntil(lambda: said(evaluated, "evaluationAccuracy") == "60.0%")
    assert "between 23.1% and 88.2%" in said(evaluated, "evaluationNote")
    evaluated.show_note("The table was saved.")
    assert "between 23.1% and 88.2%" in said(evaluated, "evaluationNote")
    assert "The table was saved." in said(evaluated, "evaluationNote")


def test_an_ampersand_in_the_name_of_a_class(qtbot):
    buttons = LabelButtons()
    qtbot.addWidget(buttons)
    photo = PhotoEvaluated("/x/1.jpg", "rose", "R&D", 0.9, 0.05)
    buttons.show_photo(photo, ("rose", "R&D"))
    assert find(buttons, QPushButton, "moveToPredictedButton").text() == "Move to R&&D"


def test_two_corrections_in_a_row_have_the_dataset_scanned_after_both(
    qtbot, window, script, evaluated, flowers
):
    window.open_folder(str(flowers))
    qtbot.waitUntil(lambda: window.session.dataset is not None)
    scans = len(script.of("inspect"))
    datasets = window.controllers.datasets
    datasets.scan_again(str(flowers))
    assert window.session.scanning
    datasets.scan_again(str(flowers))
    qtbot.waitUntil(lambda: not window.session.scanning)
    qtbot.waitUntil(lambda: len(script.of("inspect")) == scans + 2)


PHOTO = PhotoEvaluated("/x/1.jpg", "class 7", "class 8", 0.9, 0.05)


def label_buttons(qtbot, classes) -> LabelButtons:
    buttons = LabelButtons()
    qtbot.addWidget(buttons)
    buttons.show()
    buttons.show_photo(PHOTO, classes)
    return buttons


def test_a_menu_of_classes_scrolls_and_shortens_long_names(qtbot):
    long = "a rather long name of a flower " * 10
    buttons = label_buttons(qtbot, (long, *map(str, range(39))))
    menu = button(buttons, "moveToButton").menu()
    assert menu.style().styleHint(QStyle.StyleHint.SH_Menu_Scrollable, None, menu) == 1
    first = menu.actions()[0]
    assert first.text().count("…") == 1
    assert len(first.text()) < 100
    assert (first.data(), first.toolTip()) == (long, long)


def test_many_classes_are_searched_in_a_dialog(qtbot):
    buttons = label_buttons(qtbot, tuple(f"class {number}" for number in range(1_000)))
    wanted: list[str] = []
    buttons.label_requested.connect(wanted.append)
    assert button(buttons, "moveToButton").menu() is None
    for text, count, chosen in (("99", 19, "class 99"), ("CLASS 7", 111, ""), ("rose", 0, "")):
        button(buttons, "moveToButton").click()
        dialog = find(buttons, ClassDialog, "classDialog")
        names = find(dialog, QListView, "classChoices").model()
        assert names.rowCount() == 1_000
        find(dialog, QLineEdit, "classChoiceSearch").setText(text)
        assert names.rowCount() == count
        assert button(dialog, "moveToClassButton").isEnabled() is (count > 0)
        qtbot.keyClick(find(dialog, QLineEdit, "classChoiceSearch"), Qt.Key.Key_Return)
        assert wanted == [chosen or "class 99"][: len(wanted)]
        dialog.close()
        qtbot.waitUntil(lambda: buttons.findChild(ClassDialog) is None)
    assert wanted == ["class 99"]  # it is of class 7 already


def test_a_class_that_was_asked_for_is_not_that_of_the_next_photo(qtbot):
    classes = tuple(f"class {number}" for number in range(50))
    buttons = label_buttons(qtbot, classes)
    wanted: list[str] = []
    buttons.label_requested.connect(wanted.append)
    button(buttons, "moveToButton").click()
    buttons.show_photo(PhotoEvaluated("/x/2.jpg", "class 1", "class 2", 0.9, 0.05), classes)
    button(find(buttons, ClassDialog, "classDialog"), "moveToClassButton").click()
    assert wanted == []


def test_few_classes_have_a_menu_again(qtbot):
    buttons = label_buttons(qtbot, tuple(map(str, range(50))))
    buttons.show_photo(PHOTO, ("rose", "tulip"))
    menu = button(buttons, "moveToButton").menu()
    assert [each.text() for each in menu.actions()] == ["rose", "tulip"]


def test_the_search_of_a_class_dialog_is_no_window_of_its_own(qtbot, window, monkeypatch):
    shown: list[bool] = []
    real = SearchField.show_for

    def observed(field: SearchField, rows: int) -> None:
        shown.append(field.isWindow())
        real(field, rows)

    monkeypatch.setattr(SearchField, "show_for", observed)
    qtbot.addWidget(ClassDialog([f"class {number}" for number in range(50)], window))
    assert shown == [False]
