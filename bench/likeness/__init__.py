"""Benchmarks of likeness: whether clips of the same event are near, what the index finds, and how fast"""
