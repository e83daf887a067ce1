"""Kernels of what is told of all objects of a list."""
