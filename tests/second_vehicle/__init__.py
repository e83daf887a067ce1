"""A second vehicle, written from the documents alone: the proof that they are enough to write one."""
