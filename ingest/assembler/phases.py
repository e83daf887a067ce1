"""An open clip in the assembler, and the phases it goes through.

    Collecting ──whole──────────────▶ Closing (store)    ─▶ the upload is stored, or was closed by another worker
        │  └──a cell breaks the manifest─▶ Closing (fail) ─▶ the upload is failed
        └──old, or the spool is full─▶ Parking           ─▶ forgotten; opened again when its next cell comes

A failed effect is started again in the same phase, or the clip moves on to `Closing (fail)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.assembler.background import Task
from ingest.assembler.packed import PackedUpload
from ingest.assembler.spool import SpoolFile
from storage.clips.writer import Ending


@dataclass(frozen=True, slots=True)
class Parked:
    """The result of parking. `won` is False when the upload was closed in the meantime, and nothing was kept."""

    won: bool


@dataclass(frozen=True, slots=True)
class Collecting:
    """Cells are checked and spooled as they arrive."""


@dataclass(frozen=True, slots=True)
class Parking:
    """The spooled cells are being moved to a staging object; cells that arrive in the meantime wait."""

    task: Task[Parked]


@dataclass(frozen=True, slots=True)
class Closing:
    """The upload is being stored or given up: cells that still arrive are duplicates."""

    task: Task[Ending]


Phase = Collecting | Parking | Closing


@dataclass
class OpenClip:
    """A clip of which cells have arrived. `parked` are the cells that are in staging objects."""

    upload: PackedUpload
    partition: int
    file: SpoolFile
    parked: frozenset[int]
    opened_s: float
    phase: Phase = field(default_factory=Collecting)

    @property
    def collecting(self) -> bool:
        """Whether no effect is in progress."""
        return isinstance(self.phase, Collecting)

    @property
    def task(self) -> Task[Parked] | Task[Ending] | None:
        """The effect in progress."""
        return None if isinstance(self.phase, Collecting) else self.phase.task

    @property
    def can_park(self) -> bool:
        """Whether there is something to park and no effect in progress."""
        return self.collecting and bool(self.file.sizes)

    def has(self, index: int) -> bool:
        """Whether this cell is spooled or parked."""
        return index in self.file.sizes or index in self.parked

    @property
    def whole(self) -> bool:
        """Whether every cell is spooled or parked."""
        return len(self.parked | self.file.sizes.keys()) == len(self.upload.cells)
