"""How sure is a share that was observed a few times?"""

import math

Z_95 = 1.959964
"""The 97.5% quantile of the normal distribution."""


def wilson_interval(correct: float, count: int) -> tuple[float, float]:
    """The 95% interval of a share of which `correct` of `count` were observed (Wilson 1927, J. Am.
    Stat. Assoc. 22, 209). `count` is at least 1."""
    share, square = correct / count, Z_95**2 / count
    middle = (share + square / 2) / (1 + square)
    half = Z_95 / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(middle - half, 0.0), min(middle + half, 1.0)
