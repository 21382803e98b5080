"""Everything that the command line says of an event comes from the catalog of translations."""

import gettext
from collections.abc import Iterator

import pytest

from flowergui import text
from flowergui.cli import report
from flowergui.config.recipe_diff import Difference
from flowergui.events import (
    CacheState,
    CopiesRemoved,
    CopyFailed,
    EpochDone,
    Evaluated,
    Event,
    Explained,
    Exported,
    FeatureCacheStatus,
    Finished,
    FrozenChanged,
    LearningRateChanged,
    PhotoEvaluated,
    RolledBack,
    RunsCompared,
    RunStarted,
    SampleDrawn,
    SaveFailed,
    Scanned,
    SortedIntoFolders,
    Stopped,
    TrainingSizeChanged,
    WeightsSaved,
)
from flowergui.facts import ClassCount, ClassScore, Confusion, Problem


class Bracketed(gettext.NullTranslations):
    """A language whose sentences stand between brackets."""

    def gettext(self, message: str) -> str:
        return f"[{message}]"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"[{msgid1 if n == 1 else msgid2}]"


@pytest.fixture(autouse=True)
def bracketed() -> Iterator[None]:
    text.use_catalog(Bracketed())
    yield
    text.use_catalog(gettext.NullTranslations())


EPOCH = EpochDone(2, 4, 8, 0.5, 0.5, 0.5, 0.5, 0.6, 1, 0.001, 2.0)
STARTED = RunStarted(
    *("run", "mynet", "scratch", ("a", "b"), 16, 4, 32, "cpu", "float32"),
    *(5, 4, 1, 0, 0, 10, 10, (), False, 2.0),
)
EVALUATED = Evaluated(
    checkpoint="best.pth",
    epoch=3,
    folder="/images",
    photos=4,
    accuracy=0.75,
    top5=None,
    loss=0.5,
    classes=(ClassScore("rose", 4, 3, 3, 0.75, 1.0, 6 / 7),),
    confusions=(Confusion("rose", "tulip", 1),),
    most_confident_errors=(PhotoEvaluated("1.jpg", "rose", "tulip", 0.914, 0.05),),
    problems=(),
    trained_on=16,
    unknown_classes=tuple("abcdefghijkl"),
)
EVENTS: list[Event] = [
    CacheState("/cache", 1, 10, 5),
    CopiesRemoved("t.csv", 3, (Problem("a.jpg", "changed"),), (Problem("b.jpg", "locked"),)),
    EPOCH,
    EVALUATED,
    Explained("a.jpg", (), ""),
    Explained("a.jpg", (), "a.png"),
    Exported("a.onnx"),
    FeatureCacheStatus(1, "train", "memory", 4, 100),
    Finished("run", 4, 0.6, 1, 5.0),
    FrozenChanged(1, (), 10, 20),
    LearningRateChanged(1, 0.001),
    RunsCompared(("a", "b"), ()),
    STARTED,
    SampleDrawn("/flowers"),
    SortedIntoFolders("/out", "/out/t.csv", 3, 1, 1, stopped=True),
    Stopped("run", 2, 1),
    TrainingSizeChanged(1, 96),
    WeightsSaved("a.pth"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_line_is_translated(event: Event) -> None:
    lines = [line for line in report.lines(event) if line]
    assert lines
    in_tables = ("rose   ", "  [rose")
    assert [line for line in lines if "[" not in line and not line.startswith(in_tables)] == []


@pytest.mark.parametrize(
    "event",
    [
        CopyFailed("a", "gone"),
        SaveFailed("a", "full"),
        RolledBack(1, 2, 3, 0.1, "The loss became NaN."),
    ],
    ids=lambda event: type(event).__name__,
)
def test_every_problem_is_translated(event: Event) -> None:
    assert report.problem(event).startswith("[")
    assert report.lines(event) == []


def test_scans_and_comparisons_are_translated() -> None:
    scanned = Scanned("/f", "flat", (ClassCount("rose", 3, 0, ()),), (), checked=False)
    assert all("[" in line for line in report.scan_summary(scanned))
    head, *_, last = report.scan_table(scanned)
    assert "[class]" in head
    assert last.startswith("[")
    difference = Difference("Seed", "help", ("1", ""))
    assert report.lines(RunsCompared(("a", "b"), (difference,)))[1].startswith("[")
    problems = report.problems([Problem("a.jpg", "torn")] * 7, most=5, rest="flowergui inspect")
    assert (problems[0][0], problems[-1][0]) == ("[", "[")
