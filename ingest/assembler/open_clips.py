"""What the assembler knows of a clip that is on its way, and what it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.assembler.background import Task
from ingest.assembler.spool import SpoolFile
from storage.clips.writer import Ending, PendingUpload


@dataclass
class OpenClip:
    """A clip of which cells have come; `task` is set while something is being done about it."""

    upload: PendingUpload
    partition: int
    file: SpoolFile
    parked: frozenset[int]
    opened_s: float
    task: Task[Ending | bool] | None = None
    ends: bool = False
    """Whether the task closes the upload (it parks it otherwise)."""
    repeat: Callable[[], None] | None = None
    """Starts the task's effect once more."""

    def has(self, index: int) -> bool:
        """Whether this cell is here or parked."""
        return index in self.file.sizes or index in self.parked

    @property
    def whole(self) -> bool:
        """Whether every cell is here or parked."""
        return len(self.parked | self.file.sizes.keys()) == len(self.upload.manifest.cells)


@dataclass
class Counts:
    """What this worker did since its start."""

    stored: int = 0
    failed: int = 0
    parked: int = 0
    undecodable: int = 0
    duplicates: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    """Cells that nobody waits for, by the state of their upload (`unknown`, `stored`, `failed`, `expired`)."""
