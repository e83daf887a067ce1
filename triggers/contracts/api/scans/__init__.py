"""Scans in the API: searches of clips by what happened in them."""
