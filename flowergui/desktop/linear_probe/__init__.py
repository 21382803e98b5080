"""Windows about the dataset: which network suits it, how sure its accuracy is, and whether more
images would raise it."""
