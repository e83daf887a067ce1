"""SQL of the log in PostgreSQL: records, segments, consumer groups."""
