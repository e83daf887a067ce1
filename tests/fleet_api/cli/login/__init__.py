"""Tests of `longtail login`."""
