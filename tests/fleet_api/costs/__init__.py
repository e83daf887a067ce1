"""Tests of closed months, corrections, and the export as FOCUS."""
