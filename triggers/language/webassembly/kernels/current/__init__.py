"""Kernels of the current values alone: arithmetic, comparison, logic, places."""
