"""A run that one process trains and others follow: where it trains, its newest rows, requests."""
