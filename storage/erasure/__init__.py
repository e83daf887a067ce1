"""Erasure: clips whose time is over or that users erase, erased vehicles, and the deletion of their objects."""
