"""The reference interpreter: the language's rules in plain Python, which the compiled program is held to."""
