"""Recordings with the fires that any host must get from a module: see README.md beside this file."""
