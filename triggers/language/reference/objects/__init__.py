"""Lists of objects in the reference interpreter."""
