"""What makes training faster: the frozen split, cached features, precision, compilation."""
