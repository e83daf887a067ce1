"""Building blocks of routes, shared by all subjects: callers, request bodies, query parameters, signed answers."""
