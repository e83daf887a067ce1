"""Benchmarks of usage: what its increments add to storing a clip, and how long it takes to ask for sums."""
