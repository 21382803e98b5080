"""How an estimate reads."""

import pytest

from flowergui.config.recipe import Recipe
from flowergui.desktop.settings.estimate_text import estimate_text
from flowergui.events import Estimated


@pytest.mark.parametrize(
    ("told", "changes", "says"),
    [
        ((13.0, 20.0, 527.0, 100), {}, "About 8:47 min in all, 13 s an epoch."),
        ((0.2, 18.0, 63.0, 100), {}, "About 1:03 min in all; later epochs take a moment."),
        ((4.0, 18.0, 40.0, 100), {}, "About 40 s in all; later epochs take 4 s."),
        ((0.2, 0.3, 0.4, 100), {"epochs": 1}, "About 1 s in all."),
        ((139.0, 150.0, 4176.0, 100), {}, "About 1:09:36 h in all, 2:19 min an epoch."),
        ((73_664.0, 73_664.0, 2_905_434.0, 100), {}, "About 807 h in all, 20 h an epoch."),
        ((1.0, 1.0, 1.0, 31), {}, "Batch size 32 may not fit in memory; try 31."),
        ((1.0, 1.0, 1.0, 0), {}, "Batch size 32 may not fit in memory, nor may a single image."),
    ],
)
def test_how_an_estimate_reads(
    told: tuple[float, float, float, int], changes: dict, says: str
) -> None:
    epoch, first, seconds, largest = told
    estimated = Estimated(epoch, first, seconds, largest)
    assert estimate_text(estimated, Recipe(**changes)) == says


@pytest.mark.parametrize(
    ("where", "size", "says"),
    [
        ("memory", 10**9, "About 1:03 min in all; later epochs take a moment."),
        (
            "file",
            61 * 10**8,
            "About 1:03 min in all; later epochs take a moment. The feature cache takes "
            "6.1 GB of disk space until the end.",
        ),
    ],
)
def test_where_frozen_layers_are_kept(where: str, size: int, says: str) -> None:
    assert estimate_text(Estimated(0.2, 18.0, 63.0, 100, where, size), Recipe()) == says


def test_what_has_no_room() -> None:
    told = Estimated(120.0, 130.0, 3600.0, 100, "", 61 * 10**9)
    assert estimate_text(told, Recipe()) == (
        "About 1:00:00 h in all, 2:00 min an epoch. Not enough space for the feature cache "
        "(61.0 GB)."
    )
