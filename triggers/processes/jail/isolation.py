"""What to do where a system lacks parts of the jail: refuse, or do without."""

from __future__ import annotations

from enum import StrEnum


class Isolation(StrEnum):
    """What to do where the jail has not all of its parts."""

    REQUIRE = "require"
    """Do not begin."""
    BEST_EFFORT = "best_effort"
    """Do without, and say so."""
