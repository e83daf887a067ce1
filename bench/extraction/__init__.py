"""Benchmark of the second stage: clips extracted in children, against bare decoding in one process."""
