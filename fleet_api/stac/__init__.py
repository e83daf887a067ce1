"""The catalog as STAC 1.1, read-only, for tools that know the standard: routes, use cases and rules."""
