"""What has changed since a run stopped."""

from dataclasses import replace

from PySide6.QtWidgets import QCheckBox, QLabel

from flowergui.config.recipe import Recipe
from flowergui.desktop.session import Mode, RunState, Session
from flowergui.desktop.start_from.resume_check_panel import ResumeCheckPanel
from flowergui.events import Preparing, ResumeChecked
from flowergui.facts import Check, CheckKind, RunFacts, Verdict
from flowergui.requests import ResumeOptions

RUN = RunFacts("/m/a", Recipe(epochs=3), 2, 1, 0.5, "/m/a/last.pth", "")
SESSION = Session(mode=Mode.RESUME, recipe=RUN.recipe, checkpoint=RUN.last, resume_from=RUN)
CHECKED = ResumeChecked(
    "run", (Check("Images", Verdict.SAME, "12, as before", kind=CheckKind.IMAGES),), 0, (), (), 2
)


def texts(panel) -> list[str]:
    labels = panel.findChildren(QLabel)
    return [label.text() for label in labels if label.isVisibleTo(panel)]


def test_how_far_a_long_check_is(qtbot):
    panel = ResumeCheckPanel()
    qtbot.addWidget(panel)
    panel.show()
    panel.show_session(SESSION)
    assert "Scanning the images…" in texts(panel)
    panel.show_progress(Preparing("Reading new images", 1600, 4000))
    assert "Reading new images · 1,600 of 4,000" in texts(panel)
    panel.show_session(replace(SESSION, resume_check=CHECKED))
    assert not any("4,000" in text for text in texts(panel))
    qtbot.waitUntil(lambda: any("unchanged" in text for text in texts(panel)))


def test_a_run_that_goes_awaits_no_check(qtbot):
    panel = ResumeCheckPanel()
    qtbot.addWidget(panel)
    for session, shown in (
        (SESSION, True),
        (replace(SESSION, run=RunState.RUNNING), False),
        (replace(SESSION, run=RunState.RUNNING, resume_check=CHECKED), True),
        (replace(SESSION, resume_from=None), False),
    ):
        panel.show_session(session)
        assert panel.isHidden() is not shown


def test_options_are_those_of_the_session(qtbot):
    panel = ResumeCheckPanel()
    qtbot.addWidget(panel)
    checked = replace(CHECKED, new_photos=3, new_classes=("lily",), renamed=(("a", "b"),))
    panel.show_session(replace(SESSION, resume_check=checked))
    box = panel.findChild(QCheckBox, "renameClasses")
    with qtbot.waitSignal(panel.options_requested) as requested:
        box.click()
    assert requested.args == [ResumeOptions(renamed=(("a", "b"),))]
    panel.show_session(replace(SESSION, resume_check=checked))
    assert not box.isChecked()  # nobody took it up
    panel.show_session(replace(SESSION, resume_check=CHECKED, resume_options=requested.args[0]))
    assert box.isChecked()
    assert box.text() == "a is now b"


def test_many_new_classes_are_shortened_and_ask_for_no_width(qtbot):
    panel = ResumeCheckPanel()
    qtbot.addWidget(panel)
    names = tuple(f"a-rather-long-name-of-a-flower-{number}" for number in range(1_000))
    renamed = tuple((name, f"{name}-renamed") for name in names)
    checked = replace(CHECKED, new_classes=names, renamed=renamed)
    panel.show_session(replace(SESSION, resume_check=CHECKED))
    before = panel.minimumSizeHint().width()
    panel.show_session(replace(SESSION, resume_check=checked))
    assert panel.minimumSizeHint().width() == before
    box = panel.findChild(QCheckBox, "takeNewClasses")
    assert names[2] in box.text()
    assert "and 997 more" in box.text()
    assert names[3] not in box.text()
    assert names[39] in box.toolTip()
    assert "Adds outputs to the classifier" in box.toolTip()
    assert names[39] in box.accessibleDescription()  # for those who have no mouse
    assert "Adds outputs to the classifier" in box.accessibleDescription()
    renames = panel.findChild(QCheckBox, "renameClasses")
    assert "and 997 more" in renames.text()
    with qtbot.waitSignal(panel.options_requested) as requested:
        renames.click()
    assert requested.args[0].renamed == renamed  # all of them


def test_names_in_a_tooltip_are_no_markup(qtbot):
    panel = ResumeCheckPanel()
    qtbot.addWidget(panel)
    panel.show_session(replace(SESSION, resume_check=replace(CHECKED, new_classes=("<b>R&D",))))
    box = panel.findChild(QCheckBox, "takeNewClasses")
    assert box.text() == "Learn <b>R&&D too"
    assert "&lt;b&gt;R&amp;D" in box.toolTip()
