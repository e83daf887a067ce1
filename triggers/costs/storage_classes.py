"""Storage classes of S3: what recordings are moved to, and what a price book says the tiers of."""

from __future__ import annotations

STORAGE_CLASSES = (
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)
"""Those that an object can be copied into, the costliest to keep first."""
AS_STORED = ""
"""Of an object that was never moved: the class of its bucket, or a directory, which has none."""
