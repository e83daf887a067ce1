"""What became of fires: counts that add up, and the pairs of compared heads."""
