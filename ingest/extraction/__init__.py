"""Extraction: from a stored clip to signals, statistics, track, thumbnail and preview; repeatable, and fenced off."""
