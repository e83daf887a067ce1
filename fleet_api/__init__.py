"""HTTP API, command line, demo: the only place where all parts meet."""
