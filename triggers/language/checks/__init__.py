"""The checks of a trigger file: names, types, units, bounds and limits, lowered to the intermediate form."""
