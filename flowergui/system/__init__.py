"""What is set once for the whole process: memory, garbage collection, sleep."""
