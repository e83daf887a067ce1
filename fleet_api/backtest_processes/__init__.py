"""Processes of backtests beside the API: what they are given and answer, their start, their jail, and their work."""
