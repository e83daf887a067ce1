"""The log in PostgreSQL as tables: records, segments, groups."""
