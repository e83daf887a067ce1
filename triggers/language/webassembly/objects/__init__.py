"""Lists of objects in a module: their slots, their part of its memory, and their texts."""
