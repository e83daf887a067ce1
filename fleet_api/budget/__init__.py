"""Budgets through the API."""
