"""What is on disk: run folders, history, tables, paths, and files written whole."""
