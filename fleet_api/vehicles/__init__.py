"""Vehicles through the API."""
