"""The training loop, and how a run starts and resumes."""
