"""Authoring: trigger texts checked as they are typed, and the words that an editor offers."""
