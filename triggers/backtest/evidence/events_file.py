"""The file of known events: a Parquet table with a row for each, read strictly, since a report is judged by it.

Columns: `drive` (a name or path), the column of times as drives have it, `end` (empty for an event without a duration),
and `trigger` or `type`, which says what should find the event (empty: every trigger).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from triggers.backtest.evidence.known_events import MAX_EVENTS, MAX_JUDGED, KnownEvents
from triggers.drives.file import readable_parquet
from triggers.drives.time_column import TimeReader
from triggers.drives.times import Times
from triggers.errors import InvalidInput
from triggers.signals.recordings import TimeKey

DRIVE, END, KINDS = "drive", "end", ("trigger", "type")
MAX_TEXT_BYTES = 4096
"""Of a drive's name or path, and of a type."""
MAX_FOOTER_COLUMNS = 1000
_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Finders:
    """Which triggers should find events of which type: the file's own `triggers`, by name, and `types` mapped to some.

    A type that is mapped is found by those triggers alone, also if it has the name of another one.
    """

    triggers: Sequence[str]
    types: Mapping[str, Sequence[str]]

    def of(self, kind: str | None) -> Sequence[str | None]:
        """The triggers of a type: none if nothing finds it, None for every trigger."""
        if kind is None:
            return (None,)
        if kind in self.types:
            return self.types[kind]
        return (kind,) if kind in self.triggers else ()

    def check(self) -> None:
        """Raise InvalidInput if a type is mapped to something that is not a trigger of the file."""
        for kind, names in self.types.items():
            for name in names:
                if name not in self.triggers:
                    known = ", ".join(f"`{each}`" for each in self.triggers[:10])
                    raise InvalidInput(
                        f"events of the type `{kind}` should be found by `{name}`, which is no trigger of the file",
                        remedy=f"name one of its triggers: {known}",
                    )


def read_events(path: Path, time: TimeKey, finders: Finders, window_ns: int) -> KnownEvents:
    """Read the known events of a file; `time` is the catalog's column of times.

    Raises InvalidInput, naming the file and the column or row, for what cannot be read, and if there is no event for
    any of the triggers.
    """
    finders.check()
    try:
        _check_magic(path)
        with readable_parquet(path), path.open("rb") as opened, pq.ParquetFile(opened, pre_buffer=False) as file:
            columns = _Columns.of(file, time)
        with readable_parquet(path):
            texts = [columns.drive, *([columns.kind] if columns.kind else [])]
            table = pq.read_table(path, columns=columns.all, use_threads=False, read_dictionary=texts)
        return _events(table, columns, finders, window_ns)
    except InvalidInput as error:
        named = error.message if error.message.startswith(f"{path}:") else f"{path}: {error.message}"
        raise InvalidInput(named, remedy=error.remedy) from error


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a file of events."""

    time: TimeReader
    drive: str
    end: str | None
    kind: str | None

    @property
    def all(self) -> list[str]:
        """Those that are read."""
        return [name for name in (self.drive, self.time.name, self.end, self.kind) if name is not None]

    @classmethod
    def of(cls, file: Any, declared: TimeKey) -> _Columns:
        """Those of an open file. Raises InvalidInput if one is missing, there twice, or of a wrong type."""
        schema = file.schema_arrow
        occurrences = Counter(schema.names)
        rows = file.metadata.num_rows
        if rows > MAX_EVENTS:
            raise InvalidInput(f"has {rows:,} rows", remedy=f"a file of events has at most {MAX_EVENTS:,}; divide it")
        if len(schema.names) > MAX_FOOTER_COLUMNS:
            raise InvalidInput(f"has {len(schema.names)} columns", remedy="keep `drive`, `t`, `end` and `trigger`")
        kinds = [name for name in KINDS if name in occurrences and not _is_without_values(schema, name, occurrences)]
        if len(kinds) > 1:
            raise InvalidInput(
                "has the columns `trigger` and `type`, which both say what finds an event", remedy="drop one"
            )
        time = TimeReader.among(occurrences, declared)
        columns = cls(time, DRIVE, END if END in occurrences else None, kinds[0] if kinds else None)
        for name in columns.all:
            if occurrences[name] != 1:
                has = "no column" if not occurrences[name] else "more than one column"
                remedy = "a file of events has `drive`, `t` in s of the drive's clock, and perhaps `end` and `trigger`"
                raise InvalidInput(f"has {has} `{name}`", remedy=remedy)
        for name in (DRIVE, *kinds):
            _check_text(name, schema.field(name).type)
        time.check_type(schema.field(time.name).type)
        if columns.end is not None and not pa.types.is_null(schema.field(END).type):
            _check_end(time, schema.field(END).type)
        return columns


def _is_without_values(schema: Any, name: str, occurrences: Mapping[str, int]) -> bool:
    """Whether a column has no type, as data frames write one in which nothing is given."""
    return occurrences[name] == 1 and bool(pa.types.is_null(schema.field(name).type))


def _check_end(time: TimeReader, kind: Any) -> None:
    """Raise InvalidInput if ends are not times like those of the beginnings."""
    try:
        time.named(END).check_type(kind)
    except InvalidInput as error:  # the catalog says what times of drives count, not ends alone
        message = error.message.partition(",")[0]
        raise InvalidInput(message, remedy=f"write `{END}` as `{time.name}` is written") from error


def _check_magic(path: Path) -> None:
    """Raise InvalidInput for a file of another kind, such as a CSV; one that is not there is told by its reader."""
    with readable_parquet(path), path.open("rb") as opened:
        begins = opened.read(len(_MAGIC))
    if begins and begins != _MAGIC:
        remedy = "write the table of events as Parquet, not as CSV or JSON"
        raise InvalidInput("not a readable Parquet file, but one of another kind", remedy=remedy)


def _check_text(name: str, kind: Any) -> None:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(inner) or pa.types.is_large_string(inner)):
        raise InvalidInput(f"column `{name}` has the type {str(kind)[:100]}", remedy="write texts")


def _events(table: Any, columns: _Columns, finders: Finders, window_ns: int) -> KnownEvents:
    drives = _texts(table, columns.drive)
    for row, drive in enumerate(drives):
        if not drive:
            raise InvalidInput(f"column `{DRIVE}` is empty in row {row}", remedy="name the drive of every event")
    t_ns, end_ns = _times(table, columns)
    kinds = _texts(table, columns.kind) if columns.kind else [None] * len(drives)
    by_drive: dict[str, dict[str | None, dict[tuple[int, int], None]]] = {}
    of_none: Counter[str] = Counter()
    counted = repeated = 0
    for drive, kind, *times in zip(drives, kinds, t_ns.tolist(), end_ns.tolist(), strict=True):
        found_by = finders.of(kind)
        if not found_by:
            of_none[str(kind)] += 1
            continue
        events = [by_drive.setdefault(str(drive), {}).setdefault(trigger, {}) for trigger in found_by]
        event = (times[0], times[1])
        is_new = any(event not in known for known in events)
        counted, repeated = counted + is_new, repeated + (not is_new)
        for known in events:
            known[event] = None
    named = frozenset(trigger for found in by_drive.values() for trigger in found)
    _check_amount(counted, of_none, len(finders.triggers) if None in named else len(named))
    by_path: dict[str, list[str]] = {}
    for text in by_drive:
        if "\0" not in text:
            by_path.setdefault(os.path.realpath(text), []).append(text)
    pairs = {drive: {key: tuple(events) for key, events in found.items()} for drive, found in by_drive.items()}
    return KnownEvents(window_ns, pairs, by_path, named, counted, repeated, tuple(of_none.most_common()))


def _check_amount(counted: int, of_none: Counter[str], triggers: int) -> None:
    if not counted and of_none:
        kinds = ", ".join(f"`{kind[:60]}`" for kind, _ in of_none.most_common(5))
        raise InvalidInput(
            f"has events of {kinds} alone, none of which is a trigger of the file",
            remedy="say which trigger finds them: --event-type TYPE=TRIGGER",
        )
    if not counted:
        raise InvalidInput("has no events", remedy="write a row for each event")
    if counted * triggers > MAX_JUDGED:
        raise InvalidInput(
            f"has {counted:,} events for {triggers} triggers",
            remedy=f"at most {MAX_JUDGED:,} events times triggers can be judged: name the finder in `trigger`",
        )


def _texts(table: Any, name: str) -> list[str | None]:
    """The texts of a column, which may be empty; each different one is decoded once."""
    column = table.column(name).unify_dictionaries().combine_chunks() if table.num_rows else None
    if column is None:
        return []
    texts: list[str | None] = column.dictionary.to_pylist()
    for text in texts:
        if text is not None and len(text) > MAX_TEXT_BYTES:
            raise InvalidInput(f"column `{name}` has a text of {len(text):,} characters", remedy="write names or paths")
    indices = column.indices.to_pylist()
    return [None if index is None else (texts[index] or None) for index in indices]


def _times(table: Any, columns: _Columns) -> tuple[Times, Times]:
    """When each event begins and ends; without an end it ends as it begins."""
    if not table.num_rows:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    t_ns = columns.time.times(table.column(columns.time.name).combine_chunks(), 0).t_ns
    if columns.end is None or pa.types.is_null(table.column(END).type):
        return t_ns, t_ns
    ends = table.column(END).combine_chunks()
    if pa.types.is_floating(ends.type):  # how data frames write that there is none
        ends = pc.if_else(pc.is_nan(ends), pa.scalar(None, ends.type), ends)
    has_end = ends.is_valid().to_numpy(zero_copy_only=False)
    filled = ends.fill_null(pa.scalar(0).cast(ends.type))
    end_ns = np.where(has_end, columns.time.named(END).times(filled, 0).t_ns, t_ns)
    if (end_ns < t_ns).any():
        row = int(np.argmax(end_ns < t_ns))
        raise InvalidInput(f"column `{END}` is before the event begins in row {row}", remedy="check both times")
    return t_ns, end_ns
