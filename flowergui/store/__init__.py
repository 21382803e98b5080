"""What is on the disk: run folders, history, tables, paths, and files written whole."""
