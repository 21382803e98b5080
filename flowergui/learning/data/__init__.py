"""Photos: scanning, splitting, decoding, caching, augmentation, batches."""
