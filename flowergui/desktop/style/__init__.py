"""Colours, fonts and the stylesheet."""
