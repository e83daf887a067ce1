"""PostgreSQL and objects: every table, every query, every key."""
