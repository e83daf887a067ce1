"""A deployment on one machine: its processes, its signing key, and the doctor's checks."""
