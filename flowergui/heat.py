"""Where in a photo something speaks for a class, and how dark the rest is shown."""

Heatmap = tuple[tuple[float, ...], ...]
"""Rows of numbers from 0 (nothing) to 1, over the middle square of a photo."""

MIN_BRIGHTNESS = 0.2
"""The share of its light that is left where nothing speaks for a class."""
