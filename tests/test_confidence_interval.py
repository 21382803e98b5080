"""Intervals of shares."""

import pytest
from scipy.stats import binomtest

from flowergui.confidence_interval import wilson_interval


@pytest.mark.parametrize(("correct", "count"), [(0, 5), (5, 5), (267, 300), (1, 40)])
def test_the_interval_is_wilson_s(correct: int, count: int) -> None:
    expected = binomtest(correct, count).proportion_ci(method="wilson")
    assert wilson_interval(correct, count) == pytest.approx(tuple(expected), abs=1e-6)
