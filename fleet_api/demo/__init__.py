"""The demonstration: generated drives, a small auto-labeler, and the whole loop on one machine."""
