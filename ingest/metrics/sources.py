"""What ingest and the API read when their metrics are asked for: parts, the log's lag, disks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.cells_topic import GROUP
from ingest.log.contract import CELLS_TOPIC, Log
from ingest.metrics import names
from ingest.metrics.names import Family
from ingest.readiness import Readiness
from triggers.errors import Unreachable


@dataclass(frozen=True, slots=True)
class Disks:
    """Space of the file systems that these folders are on, or will be: of one that is not there, its nearest parent."""

    folders: Mapping[str, Path]
    name: str = "disks"

    def families(self) -> Iterator[Family]:
        """Free space, as far as this process may use it, and size."""
        try:
            usage = {disk: shutil.disk_usage(_existing(folder)) for disk, folder in self.folders.items()}
        except OSError as error:
            raise Unreachable(f"cannot tell how full the disk of {error.filename} is: {error.strerror}") from error
        yield names.DISK_FREE.family(((disk,), found.free) for disk, found in usage.items())
        yield names.DISK_SIZE.family(((disk,), found.total) for disk, found in usage.items())


@dataclass(frozen=True, slots=True)
class Parts:
    """Which parts of this process work, without a probe of those that do not."""

    readiness: Readiness
    name: str = "parts"

    def families(self) -> Iterator[Family]:
        """Each part by its name."""
        yield names.PART_READY.family(((part,), float(works)) for part, works in self.readiness.working().items())


class Lag:
    """How far the assemblers of all workers are behind the log's end; there is none before the log is open."""

    name = "log"

    def __init__(self) -> None:
        self.log: Log | None = None

    def families(self) -> Iterator[Family]:
        """By partition: records after the committed offset. Open clips keep theirs there until they are parked."""
        if self.log is None:
            raise Unreachable("the log is not open yet")
        committed = self.log.committed_offsets(CELLS_TOPIC, GROUP)
        ends = self.log.end_offsets(CELLS_TOPIC)
        yield names.LAG.family(
            ((str(partition),), float(max(0, end - committed.get(partition, 0))))
            for partition, end in sorted(ends.items())
        )


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())
