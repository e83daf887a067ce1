"""Versions of a trigger file on the same drives: two compared fire by fire, or one with several values of a constant"""
