"""Comparisons of networks and learning curves as lines of text for people."""

from collections.abc import Sequence

from wcwidth import ljust, rjust, width

from flowergui.events import LearningCurveEstimated, NetworkCompared
from flowergui.facts import CurvePoint
from flowergui.text import fine_percent, tr
from flowergui.wording import learning_curve_text

WIDTHS = (20, 8, 16, 8, 8)
"""Cells of the terminal for the columns of a list of networks; the weights follow."""

MAX_CLASSES_SHOWN = 40
"""Most classes of a learning curve that are listed."""


def networks_head() -> str:
    """The head of a list of networks."""
    heads = (tr("network"), tr("accuracy"), tr("95% interval"), tr("ms/image"), tr("MB"))
    return _row(heads, tr("weights"))


def compared(event: NetworkCompared) -> Sequence[str]:
    """A row of the list."""
    cells = (
        event.model,
        fine_percent(event.accuracy),
        tr("{low} to {high}", low=fine_percent(event.low), high=fine_percent(event.high)),
        f"{event.milliseconds:.1f}",
        f"{event.megabytes:.1f}",
    )
    return [_row(cells, event.weights)]


def learning_curve(event: LearningCurveEstimated) -> Sequence[str]:
    """The accuracy with fewer and with more images, overall and of each class, and what that
    means."""
    points = (*event.points, event.twice)
    heads = [f"{each.photos:,}" for each in points]
    rows = [
        (tr("all images"), [fine_percent(each.accuracy) for each in points]),
        *((name, _class_row(points, place)) for name, place in _shown_classes(event)),
    ]
    widest = max(width(tr("class")), *(width(name) for name, _ in rows))
    table = [
        ljust(name, widest) + "".join(f"  {cell:>8}" for cell in cells)
        for name, cells in ((tr("class"), heads), *rows)
    ]
    return [
        tr("The accuracy that is expected with so many images; the last number is extrapolated:"),
        *table,
        "",
        learning_curve_text(event),
    ]


def _class_row(points: Sequence[CurvePoint], place: int) -> list[str]:
    shares = (each.class_accuracy[place] for each in points)
    return ["-" if share is None else fine_percent(share) for share in shares]


def _shown_classes(event: LearningCurveEstimated) -> list[tuple[str, int]]:
    """Names of classes and their places. Of many, those with the lowest accuracy."""
    places = list(enumerate(event.classes))
    if len(places) > MAX_CLASSES_SHOWN:
        known = event.points[-1].class_accuracy
        places.sort(key=lambda each: known[each[0]] or 0.0)
    return [(name, place) for place, name in places[:MAX_CLASSES_SHOWN]]


def _row(cells: Sequence[str], weights: str) -> str:
    first, *others = WIDTHS
    return "  ".join([ljust(cells[0], first), *map(rjust, cells[1:], others), weights])
