"""Simulated vehicles that play recorded drives."""
