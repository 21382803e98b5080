"""How many images of a class validate."""

import pytest

from flowergui.config.validation_split import validation_count
from flowergui.events import Scanned
from flowergui.facts import ClassCount


@pytest.mark.parametrize(
    ("images", "fraction", "count"),
    [(0, 0.2, 0), (1, 0.2, 0), (2, 0.2, 1), (3, 0.1, 1), (8, 0.2, 2), (300, 0.2, 60), (4, 0.99, 3)],
)
def test_each_class_keeps_images_for_both(images: int, fraction: float, count: int) -> None:
    assert validation_count(images, fraction) == count


def test_the_split_is_counted_per_class_unless_the_folder_has_its_own() -> None:
    flat = (ClassCount("iris", 8, 0, ()), ClassCount("rose", 8, 0, ()))
    assert Scanned("/x", "flat", flat, ()).split_counts(0.2) == (12, 4)  # not 13 and 3
    split = (ClassCount("iris", 8, 1, ()), ClassCount("rose", 8, 3, ()))
    assert Scanned("/x", "split", split, ()).split_counts(0.2) == (16, 4)
