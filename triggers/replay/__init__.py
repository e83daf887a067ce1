"""Recorded drives and videos, played into a vehicle's agent."""
