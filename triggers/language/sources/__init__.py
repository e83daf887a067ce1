"""Sources: the one text that is compiled, with the files that it imports and the values that were set."""
