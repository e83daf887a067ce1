"""Authoring in the API: a trigger text checked as it is typed, and the words that an editor offers."""
