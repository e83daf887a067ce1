"""The index of a backup's objects: which are copied and checked, so that a run that was cut off can go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from triggers.errors import Misconfigured

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS objects (
        key TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, run TEXT NOT NULL
    ) WITHOUT ROWID
"""
_FIND = "SELECT size_bytes, sha256 FROM objects WHERE key = ?"
_COMMIT_EVERY = 200


class ObjectSums:
    """The SHA-256 of a backup's objects, from an index that is only read, but for settling what a run that was killed
    left in it: the medium may be mounted for reading.

    Where it cannot be used none is known, which `report` is told once: what the rows say of objects is left then.
    """

    def __init__(self, path: Path, report: Callable[[str], None]) -> None:
        self._path = path
        self._report = report
        self._rows: sqlite3.Connection | None = None
        try:
            # `rw` makes no file, settles what a run that was killed left, and reads where nothing can be written.
            self._rows = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=1.0)
        except sqlite3.Error as error:
            self._give_up(error)

    def find(self, key: str) -> str | None:
        """The SHA-256 (hex) of the object under a key; None where nothing tells it."""
        if self._rows is None:
            return None
        try:
            row = self._rows.execute(_FIND, (key,)).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return str(row[1]) if row else None

    def close(self) -> None:
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def _give_up(self, error: sqlite3.Error) -> None:
        self.close()
        self._report(f"{self._path} cannot be used ({error}): objects are compared with what their rows say of them")


class ObjectIndex:
    """Objects by key, with size, SHA-256 (hex), and the last run that needed them. One process at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create it. Misconfigured when the file cannot be used, or another process is writing it."""
        self._changes = 0
        try:
            self._rows = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self._rows.execute("PRAGMA journal_mode = TRUNCATE")
            self._rows.execute(_SCHEMA)
            self._rows.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise Misconfigured(
                f"the index {path} of the backup cannot be used ({error})",
                remedy="wait for another run to end, or delete the file: every copied object is then read again",
            ) from error

    def find(self, key: str) -> tuple[int, str] | None:
        """Size and SHA-256 of an object, None when it is not in the backup."""
        row = self._rows.execute(_FIND, (key,)).fetchone()
        return (int(row[0]), str(row[1])) if row else None

    def put(self, key: str, size_bytes: int, sha256: str, *, run: str) -> None:
        """Note an object that this run needs; kept after every few hundred."""
        self._rows.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", (key, size_bytes, sha256, run))
        self._changes += 1
        if self._changes % _COMMIT_EVERY == 0:
            self._rows.execute("COMMIT")
            self._rows.execute("BEGIN IMMEDIATE")

    def not_of(self, run: str) -> Iterator[str]:
        """Keys that a run did not need, in order: what was erased since."""
        after = ""
        while True:
            query = "SELECT key FROM objects WHERE run <> ? AND key > ? ORDER BY key LIMIT 500"
            keys = [key for (key,) in self._rows.execute(query, (run, after))]
            yield from keys
            if not keys:
                return
            after = keys[-1]

    def remove(self, key: str) -> None:
        """Forget an object."""
        self._rows.execute("DELETE FROM objects WHERE key = ?", (key,))

    def totals(self, run: str) -> tuple[int, int]:
        """How many objects a run needed, and their bytes."""
        query = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM objects WHERE run = ?"
        count, size_bytes = self._rows.execute(query, (run,)).fetchone()
        return int(count), int(size_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was noted is kept, whatever ended the run: every noted object is durable."""
        self._rows.execute("COMMIT")
        self._rows.close()
