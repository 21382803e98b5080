"""What the machine can do, and how tensors get to it."""
