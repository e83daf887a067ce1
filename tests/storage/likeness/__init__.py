"""Tests of vectors in the database: written, searched, and what is almost the same."""
