"""Campaigns' programs on the vehicle: running them, and numbering, sampling and counting their fires."""
