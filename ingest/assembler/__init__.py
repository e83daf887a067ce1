"""The assembler: turns cells in the log, in any order and with repeats, into whole clips in the catalog."""
