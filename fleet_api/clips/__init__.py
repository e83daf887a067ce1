"""Clips through the API."""
