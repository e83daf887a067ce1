"""Expansion: a file's own words are replaced by what they stand for, before anything is checked."""
