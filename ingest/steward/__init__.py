"""The steward: the loop that does, in any worker, what has to happen now and then, and the rules it follows."""
