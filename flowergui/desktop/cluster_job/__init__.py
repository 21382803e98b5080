"""A folder that trains the present settings on a cluster: what it is asked for, and its writing."""
