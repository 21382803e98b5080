"""Threads and signals: generators that run beside the window."""
