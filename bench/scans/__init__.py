"""Benchmark of searches by what happened: a scan of ten-second clips against bare decoding of the needed columns."""
