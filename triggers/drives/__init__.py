"""Recorded drives: finding them, and reading them in batches of arrays or row by row."""
