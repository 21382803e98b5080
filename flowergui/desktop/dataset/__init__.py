"""The folder of photos: choosing it, its classes, and what was left out."""
