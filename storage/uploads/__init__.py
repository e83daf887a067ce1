"""Uploads: opened, parked, ended; the identity of fires, and dead letters."""
