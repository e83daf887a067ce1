"""`longtail trace`: the command, and its plots in a terminal."""
