"""`longtail login`, `logout` and `whoami`: people at a command line."""
