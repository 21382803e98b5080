"""Columns, smoothing, thinning and ranges of the curves."""

import numpy as np
import pytest

from flowergui.desktop.plots.column_buffer import (
    MAX_PAIRS,
    ColumnBuffer,
    downsample_mean,
    downsample_minmax,
    ema,
    robust_range,
)


def test_columns_grow_and_keep_every_row():
    columns = ColumnBuffer(["step"], ["loss"])
    for begin in range(0, 10_000, 700):
        steps = np.arange(begin, begin + 700)
        columns.append(step=steps, loss=steps / 2.0)
    assert columns.length == 10_500
    np.testing.assert_array_equal(columns["step"], np.arange(10_500))
    np.testing.assert_array_equal(columns["loss"], np.arange(10_500) / 2.0)
    columns.cut(10)
    columns.append(step=[7.0], loss=[8.0])
    assert columns["step"].tolist() == [*range(10), 7]


def test_steps_stay_exact_where_float32_would_round():
    columns = ColumnBuffer(["step"], ["loss"])
    columns.append(step=[2.0**24 + 1], loss=[0.5])
    assert columns["step"].tolist() == [2**24 + 1]
    assert columns["loss"].nbytes == 4


def test_smoothing_of_a_constant_is_that_constant_from_the_start():
    assert ema(np.full(5, 3.0), 20, np.empty(0)) == pytest.approx(np.full(5, 3.0))


def test_smoothing_in_pieces_is_smoothing_at_once():
    values = np.random.default_rng(0).normal(size=300)
    whole = ema(values, 20, np.empty(0))
    pieces = ema(values[:100], 20, np.empty(0))
    pieces = np.append(pieces, ema(values[100:], 20, pieces))
    np.testing.assert_allclose(pieces, whole)


def test_smoothing_steps_over_what_is_not_finite():
    result = ema(np.array([1.0, np.nan, np.inf, 1.0]), 20, np.empty(0))
    np.testing.assert_allclose(result, 1.0)


def test_thinning_keeps_every_peak():
    x = np.arange(1_000_000.0)
    y = np.zeros(len(x))
    y[123_456], y[654_321], y[-1] = 9.0, -7.0, 5.0
    thin_x, thin_y = downsample_minmax(x, y, 0, 1e6)
    assert len(thin_x) == len(thin_y) <= 2.2 * MAX_PAIRS
    assert (thin_y.max(), thin_y.min(), thin_y[-1]) == (9.0, -7.0, 5.0)
    assert np.all(np.diff(thin_x) >= 0)
    assert abs(thin_x[thin_y.argmax()] - 123_456) <= 1_000


def test_a_short_stretch_is_drawn_as_it_is_with_a_point_beyond_each_edge():
    x = np.arange(1_000.0)
    thin_x, _ = downsample_minmax(x, x, 100.5, 110.5)
    assert thin_x.tolist() == list(range(100, 112))


def test_thinning_passes_over_nan():
    y = np.arange(10_000.0)
    y[::2] = np.nan
    assert np.isfinite(downsample_minmax(np.arange(10_000.0), y, 0, 1e4)[1]).all()


def test_a_lone_outlier_does_not_flatten_the_curve():
    values = np.append(np.linspace(0.3, 1.6, 100), [80.0, np.nan, np.inf])
    low, high = robust_range(values)
    assert (low, high) == pytest.approx((0.3, 1.6))


def test_what_lies_far_below_is_an_outlier_too():
    values = np.append(np.linspace(0.4, 0.9, 999), -50.0)
    assert robust_range(values) == pytest.approx((0.4, 0.9))


def test_the_steep_beginning_of_a_long_run_is_no_outlier():
    values = np.append(np.linspace(1.6, 0.1, 50), np.full(950, 0.01))
    assert robust_range(values)[1] > 0.9


def test_ranges_of_little_or_nothing():
    assert robust_range(np.array([np.nan])) is None
    assert robust_range(np.array([2.0, np.inf])) == (2.0, 2.0)


def test_a_long_average_is_thinned_to_means():
    x = np.arange(10_000.0)
    thin_x, thin_y = downsample_mean(x, 2 * x, 0, 1e6, 250)
    assert 250 <= len(thin_x) <= 501
    assert np.allclose(thin_y, 2 * thin_x)
    assert (thin_x[-1], thin_y[-1]) == (9_999, 19_998)
    few_x, few_y = downsample_mean(x, x, 100.5, 110.5, 250)
    assert few_x.tolist() == few_y.tolist() == list(range(100, 112))
