"""Whole-system tests: real processes, real servers, real faults."""
