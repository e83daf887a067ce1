"""Bounds on what each caller may take of a process: memory for bodies, time to send them, the size of their trees."""
