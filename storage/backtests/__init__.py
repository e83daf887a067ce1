"""Backtests that people run over HTTP, as jobs under leases, and their results."""
