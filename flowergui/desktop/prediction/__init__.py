"""Dropped photos and what the network predicts for them."""
