"""What the routes of every subject are made of: callers, bodies, query parameters, signed answers."""
