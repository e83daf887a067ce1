"""Tests of the vector by which clips are alike."""
