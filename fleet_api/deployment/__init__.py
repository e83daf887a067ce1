"""A deployment on one machine: its processes, its key, and what is wrong with it."""
