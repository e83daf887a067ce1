"""Extraction: signals, statistics, track, thumbnail and preview of a stored clip, computed in a sandboxed child."""
