"""Growing arrays for the plots, moving averages, and downsampling for the screen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]

MAX_PAIRS = 1_000
"""Minimum-maximum pairs of a downsampled curve: more than a plot has pixel columns."""


class ColumnBuffer:
    """Columns of equal length, in buffers that double when they are full.

    `exact` columns are float64 (float32 counts steps only up to 16 million); `rough` ones are
    float32, which is enough for a screen.
    """

    def __init__(self, exact: Sequence[str], rough: Sequence[str] = ()) -> None:
        self.names = (*exact, *rough)
        self._buffers: dict[str, Numbers] = {name: np.empty(1024) for name in exact}
        self._buffers |= {name: np.empty(1024, np.float32) for name in rough}
        self.length = 0

    def __getitem__(self, name: str) -> Numbers:
        """A view, valid until the next `append`."""
        return self._buffers[name][: self.length]

    def append(self, **rows: Sequence[float] | Numbers) -> None:
        """Appends rows; every column needs the same number of values."""
        length = self.length
        for name, values in rows.items():
            length = self.length + len(values)
            buffer = self._buffers[name]
            if length > len(buffer):
                grown = np.empty(max(length, 2 * len(buffer)), buffer.dtype)
                grown[: self.length] = buffer[: self.length]
                self._buffers[name] = buffer = grown
            buffer[self.length : length] = values
        self.length = length

    def cut(self, length: int) -> None:
        """Removes all rows from `length` on."""
        self.length = min(self.length, length)


def ema(values: Numbers, span: float, before: Numbers) -> Numbers:
    """Exponential moving average of `values`, which follow on the averages `before`.

    The weight of the newest value is 2 / (span + 1); bias-corrected by 1 - decay**n as in Adam
    (Kingma and Ba, 2015), so that the first values are not drawn to 0. A value that is not
    finite leaves the average where it is.
    """
    decay = 1.0 - 2.0 / (span + 1.0)
    result = np.empty(len(values))
    count = len(before)
    last = float(before[-1]) if count else 0.0
    average = last * (1.0 - decay**count)
    for index, value in enumerate(values.tolist()):
        count += 1
        if not -np.inf < value < np.inf:
            value = last
        average = decay * average + (1.0 - decay) * value
        last = average / (1.0 - decay**count)
        result[index] = last
    return result


def downsample_minmax(
    x: Numbers, y: Numbers, low: float, high: float, pairs: int = MAX_PAIRS
) -> tuple[Numbers, Numbers]:
    """The points to draw between `low` and `high`: about 2 * `pairs`, at most 3 * `pairs`.

    `x` ascends. A long curve is replaced by the minimum and maximum of each of many pieces, so that
    no peak is lost. One point beyond each end is kept, so that the line reaches the edges.
    """
    x, y = _in_sight(x, y, low, high)
    size = len(x) // pairs
    if size < 2:
        return x.copy(), y.copy()
    whole = len(x) // size * size
    pieces = y[:whole].reshape(-1, size)
    bottom, top = np.fmin.reduce(pieces, axis=1), np.fmax.reduce(pieces, axis=1)
    thin_x = np.repeat(x[:whole:size], 2)
    thin_y = np.empty(len(thin_x))
    thin_y[0::2], thin_y[1::2] = bottom, top
    return np.append(thin_x, x[whole:]), np.append(thin_y, y[whole:])


def downsample_mean(
    x: Numbers, y: Numbers, low: float, high: float, most: int
) -> tuple[Numbers, Numbers]:
    """The points to draw of a smooth curve between `low` and `high`: the means of at most
    2 * `most` pieces, and the last point. Qt would take a hundred times as long for a thick line
    through minima and maxima."""
    x, y = _in_sight(x, y, low, high)
    size = len(x) // most
    if size < 2:
        return x.copy(), y.copy()
    whole = len(x) // size * size
    means = y[:whole].reshape(-1, size).mean(axis=1)
    middles = x[:whole].reshape(-1, size).mean(axis=1)
    return np.append(middles, x[-1]), np.append(means, y[-1])


def _in_sight(x: Numbers, y: Numbers, low: float, high: float) -> tuple[Numbers, Numbers]:
    """The points between `low` and `high`, and one point beyond each end."""
    first = max(int(np.searchsorted(x, low)) - 1, 0)
    last = min(int(np.searchsorted(x, high, side="right")) + 1, len(x))
    return x[first:last], y[first:last]


def robust_range(values: Numbers) -> tuple[float, float] | None:
    """The range of the values without outliers; None if none is finite.

    Outliers are values more than three interquartile ranges beyond the quartiles (Tukey's
    "far out"), as long as they are no more than 2% of all: the steep beginning of a long run
    lies far out too, but it is no accident.
    """
    ordered = np.sort(values[np.isfinite(values)])
    if not len(ordered):
        return None
    places = np.rint((len(ordered) - 1) * np.array((0.02, 0.25, 0.75, 0.98))).astype(int)
    low, lower, upper, high = ordered[places].tolist()
    reach = 3.0 * (upper - lower)
    first = int(np.searchsorted(ordered, lower - reach))
    last = int(np.searchsorted(ordered, upper + reach, side="right")) - 1
    return min(low, float(ordered[first])), max(high, float(ordered[last]))
