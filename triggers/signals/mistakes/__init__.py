"""The mistakes of a signal catalog, in the words of its author: those of single keys, and of keys that do not fit"""
