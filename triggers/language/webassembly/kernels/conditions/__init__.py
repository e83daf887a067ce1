"""Kernels that remember conditions: edges, holds, sequences."""
