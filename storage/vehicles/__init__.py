"""Vehicles: enrolment, tokens, check-in, telemetry."""
