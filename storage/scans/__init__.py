"""Scans: searches by what happened, as jobs under leases, and what they found."""
