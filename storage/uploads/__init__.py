"""Uploads: creation, progress, parked cells, endings; the identity of fires, and dead letters."""
