"""Counts reported by vehicles: what became of fires, and pairs of compared heads."""
