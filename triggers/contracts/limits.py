"""Sizes that both ends of the API and the compiler hold to, each named once."""

MAX_SOURCE_BYTES = 1_000_000
"""A trigger file."""
MAX_CATALOG_BYTES = 8 * 1024 * 1024
"""A signal catalog as YAML."""
