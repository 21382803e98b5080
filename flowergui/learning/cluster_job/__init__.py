"""A folder that trains a run on a cluster: its recipe, its split, and the scripts of the job."""
