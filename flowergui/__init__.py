"""flowergui: train image classifiers in a window, and see what they predict."""

__version__ = "0.1.0"
