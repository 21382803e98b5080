"""All runs side by side: their curves, their differences, and what can be done with them."""
