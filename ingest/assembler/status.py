"""Counts and status of an assembler: what it did since its start, and what it holds now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Counts:
    """What one worker did since its start."""

    stored: int = 0
    failed: int = 0
    parked: int = 0
    undecodable: int = 0
    duplicates: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    """Cells of uploads that are not being assembled, by their state (`unknown`, `stored`, `failed`, `expired`)."""


@dataclass(frozen=True, slots=True)
class AssemblerStatus:
    """What an assembler holds at the moment."""

    open_clips: int
    spooled_bytes: int

    def __str__(self) -> str:
        return f"{self.open_clips} open clips, {self.spooled_bytes} bytes spooled"
