"""Size limits that both ends of the API and the compiler share."""

MAX_SOURCE_BYTES = 1_000_000
"""Largest trigger file."""
MAX_CONDITION_BYTES = 10_000
"""Longest condition that stands alone, in a search by what happened."""
MAX_CATALOG_BYTES = 8 * 1024 * 1024
"""Largest signal catalog, as YAML."""
MAX_PRICE_BOOK_BYTES = 256 * 1024
"""Largest price book, as YAML."""
PROGRAM_STATE_BYTES = 256 * 1024
"""State that one campaign's program may have, unless a signal catalog and the deployment say otherwise."""
PROGRAM_OPERATIONS = 20_000
"""Operations per tick that it may take, likewise."""
MAX_TRUST_VERSION = 2**31 - 1
MAX_TELEMETRY_BYTES = 1024 * 1024
"""Largest report of counts; a vehicle sends more in several."""
