"""Loss and accuracy curves, drawn live."""
