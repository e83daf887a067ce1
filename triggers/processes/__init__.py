"""Processes that watch over processes."""
