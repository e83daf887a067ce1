"""Scans: one condition of the trigger language over the extracted signals of many clips."""
