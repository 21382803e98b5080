"""flowergui: train image classifiers in a window, and know what they see."""

__version__ = "0.1.0"
