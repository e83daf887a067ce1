"""Recorded drives: found, read in batches of arrays or rows."""
