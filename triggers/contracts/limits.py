"""Size limits that both ends of the API and the compiler share."""

MAX_SOURCE_BYTES = 1_000_000
"""Largest trigger file."""
MAX_CATALOG_BYTES = 8 * 1024 * 1024
"""Largest signal catalog, as YAML."""
