"""The text of a trigger file: words, syntax, comments, canonical form, diagnostics."""
