"""The vehicle's journal: its durable state, and all SQL of the vehicle."""
