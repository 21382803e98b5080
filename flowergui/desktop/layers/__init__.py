"""The layer tree with its checkboxes, and the network's description."""
