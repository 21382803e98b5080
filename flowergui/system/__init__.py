"""Process-wide settings and questions to the operating system: tuning, sleep, displays."""
