"""The checks of a trigger file (names, types, units, limits), which also lower it to the intermediate form."""
