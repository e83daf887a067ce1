"""The reference interpreter: the rules of the language in plain Python, against which compiled programs are tested."""
