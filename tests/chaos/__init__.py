"""The chaos suite: faults of every kind against the real servers under load, and what must hold after each of them."""
