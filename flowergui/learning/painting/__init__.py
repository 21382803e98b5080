"""Flowers painted by rule: numpy and Pillow, no torch and no Qt."""
