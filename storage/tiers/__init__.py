"""Tiers of clips' files: storage classes by age, and which files are to be moved where."""
