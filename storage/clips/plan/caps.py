"""How many rows a search may visit before it tries another way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caps:
    """Rows that a way may visit, or an index may have."""

    few: int = 400
    """Of an access that has no more, so that they are collected at once; beside others a walk is tried first."""
    collected: int = 10_000
    visited: int = 2_000
    """Of rows that are looked up in their table to be counted, before the first walk."""
    glanced: int = 1_000
    walked: int = 10_000
    large: int = 10_000
    """Catalogs of more clips are not looked through for what no index has."""
