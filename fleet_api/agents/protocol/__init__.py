"""The Model Context Protocol over standard input and output: frames, messages, versions, and one session."""
