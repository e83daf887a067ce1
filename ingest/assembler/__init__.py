"""The assembler: from cells in the log, in any order and any number of times, to whole clips in the catalog."""
