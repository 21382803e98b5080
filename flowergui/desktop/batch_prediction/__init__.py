"""Many photos whose classes nobody knows: predicted together, listed, and sorted into folders."""
