"""Campaigns' programs on the vehicle: run, numbered, sampled, counted."""
