"""The menu bar of the main window: one declaration of all actions, and the bar that shows them."""
