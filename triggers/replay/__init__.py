"""Replay of recorded drives and videos into a vehicle's agent."""
