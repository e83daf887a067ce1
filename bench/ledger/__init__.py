"""The budget ledger against bare transactions on the same PostgreSQL."""
