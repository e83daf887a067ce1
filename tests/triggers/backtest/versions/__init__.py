"""Tests of versions of a trigger file on the same drives."""
