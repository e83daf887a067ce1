"""Checks of calls: the named operators of the language, a file per family, and the table of all."""
