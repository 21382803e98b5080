"""What is said of a run before it starts: how long it takes, and what is faster."""
