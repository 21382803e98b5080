"""Checkpoints: written whole, read without running code."""
