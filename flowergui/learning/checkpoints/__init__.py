"""Checkpoints: the format, and the writer that saves them while a run trains."""
