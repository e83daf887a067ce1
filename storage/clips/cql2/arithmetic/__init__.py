"""Arithmetic of a filter: exact fractions in SQL, and comparisons of them that never divide.

ratio.py    values as fractions, with bounds on their digits    power.py    powers
compiled.py operands as fractions, and what compares them
"""
