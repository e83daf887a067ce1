"""The tools of the server: what each takes, what it does, and what it answers."""
