"""Outcomes of fires and dead letters through the API."""
