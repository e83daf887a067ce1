"""Kernels over a window `(t - W, t]`: extremes, differences, means, counts, the past."""
