"""Archives of images as dataset folders."""
