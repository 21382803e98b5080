"""A run in the window: start, pause, stop, progress, and what is said of it."""
