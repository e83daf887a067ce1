"""The journal of a vehicle: its durable state in SQLite, and all SQL that runs on a vehicle."""
