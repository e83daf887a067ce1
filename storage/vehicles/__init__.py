"""Vehicles: enrolment, tokens, attributes, check-in, and the counts that they report."""
