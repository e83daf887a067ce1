"""Counts and facets in the API."""
