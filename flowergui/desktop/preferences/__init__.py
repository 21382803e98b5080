"""What the user prefers of the program itself: theme, size, folders; and the window that asks."""
