"""Recorded drives: Parquet files that are read as rows or arrays, one batch at a time.

A drive is a Parquet file with a column of times (`t`, see `time_column`) and one column per signal, null or NaN where
there was no new sample, and with lists of objects beside them (see `lists` and `places`); or a folder with such a file
named `signals.parquet` and videos `<camera>.mp4` beside it. The schema's metadata may give the drive's start in Unix
time: `longtail.start_ns`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from triggers.drives.batches import Batch
from triggers.drives.file import DriveFile
from triggers.drives.names import FOLDER_FILE
from triggers.language.rows import Row
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import ObjectSample

_NUMBERS_AT_ONCE = 100_000
"""Numbers of signals that are Python's at a time, as which they take ten times the room; of lists it is one row's."""
_NO_SAMPLES: MappingProxyType[str, float] = MappingProxyType({})
_NO_OBJECTS: MappingProxyType[str, ObjectSample] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Drive:
    """One recorded drive on disk."""

    path: Path
    batch_rows: int | None = None
    """How many rows are read at a time; None: as many as fit into `BATCH_BYTES`."""
    is_clip: bool = False
    """It holds values in the signals' units, not raw ones, also if its metadata do not say so."""

    @property
    def name(self) -> str:
        """The file's stem, or its folder's name for a `signals.parquet`."""
        return Path(os.path.realpath(self.path)).parent.name if self.path.name == FOLDER_FILE else self.path.stem

    @property
    def cameras(self) -> dict[str, Path]:
        """Videos beside a folder's `signals.parquet`, by camera."""
        if self.path.name != FOLDER_FILE:
            return {}
        return {video.stem: video for video in sorted(self.path.parent.glob("*.mp4"))}

    def open(self) -> DriveFile:
        """Open the drive, which reads the file's footer. Raises InvalidInput if it cannot be read."""
        return DriveFile(self.path, batch_rows=self.batch_rows, is_clip=self.is_clip)

    @property
    def start_ns(self) -> int | None:
        """Unix time of the drive's `t` = 0 where its metadata gives it; InvalidInput if that is not a number."""
        with self.open() as file:
            return file.start_ns

    @property
    def row_count(self) -> int:
        """Rows in the file, from its footer."""
        with self.open() as file:
            return file.row_count

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the file's columns."""
        with self.open() as file:
            return file.columns

    def rows(self, catalog: SignalCatalog, signals: Collection[str]) -> Iterator[Row]:
        """All rows with the samples of these signals, equal times merged; memory is bounded by a batch.

        Raises InvalidInput naming the file and the column or row that cannot be used.
        """
        for batch in self.batches(catalog, signals):
            rows = max(1, _NUMBERS_AT_ONCE // max(len(batch.columns), 1))
            for first in range(0, len(batch), rows):
                yield from _rows(batch.part(slice(first, first + rows)))

    def batches(self, catalog: SignalCatalog, signals: Collection[str]) -> Iterator[Batch]:
        """The same rows as arrays, a bounded number of rows at a time."""
        with self.open() as file:
            yield from file.batches(catalog, signals)

    def check_columns(self, catalog: SignalCatalog, signals: Collection[str]) -> None:
        """Raise InvalidInput if the file cannot give one of these signals; reads only its footer."""
        with self.open() as file:
            file.check_columns(catalog, signals)


def _rows(batch: Batch) -> Iterator[Row]:
    samples: dict[int, dict[str, float]] = {}
    for signal, numbers in batch.columns.items():
        if numbers is None:
            continue
        places = np.flatnonzero(~np.isnan(numbers))
        for place, number in zip(places.tolist(), numbers[places].tolist(), strict=True):
            samples.setdefault(place, {})[signal] = number
    columns = [(name, column) for name, column in batch.objects.items() if column is not None]
    for place, t_ns in enumerate(batch.t_ns.tolist()):
        objects = {name: sample for name, column in columns if (sample := column.sample(place)) is not None}
        yield Row(t_ns, samples.get(place, _NO_SAMPLES), objects or _NO_OBJECTS)
