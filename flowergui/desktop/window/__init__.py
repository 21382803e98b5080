"""The main window's frame: its layout, its guide, and how it closes."""
