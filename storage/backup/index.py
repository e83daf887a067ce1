"""The index of a backup's objects: which are copied and checked, so that a run that was cut off can go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from triggers.errors import Misconfigured, Unreachable

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS objects (
        key TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, run TEXT NOT NULL
    ) WITHOUT ROWID
"""
_FIND = "SELECT size_bytes, sha256 FROM objects WHERE key = ?"
_COMMIT_EVERY = 200
_OF_THE_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
"""SQLite's result codes for a full disk, and for any other error of one, such as an exceeded quota."""


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
    """Objects by key, with size, SHA-256 (hex), and the last run that needed them. One process at a time.

    Every method raises Unreachable when the disk is full or broken; what was noted last is then forgotten, and those
    objects are read again by the next run.
    """

    def __init__(self, path: Path) -> None:
        """Open or create it. Misconfigured when the file cannot be used, or another process is writing it."""
        self._path = path
        self._changes = 0
        with self._used():
            self._rows = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self._rows.execute("PRAGMA journal_mode = TRUNCATE")
            self._rows.execute(_SCHEMA)
            self._rows.execute("BEGIN IMMEDIATE")

    def find(self, key: str) -> tuple[int, str] | None:
        """Size and SHA-256 of an object, None when it is not in the backup."""
        with self._used():
            row = self._rows.execute(_FIND, (key,)).fetchone()
        return (int(row[0]), str(row[1])) if row else None

    def put(self, key: str, size_bytes: int, sha256: str, *, run: str) -> None:
        """Note an object that this run needs; kept after every few hundred."""
        with self._used():
            self._rows.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", (key, size_bytes, sha256, run))
            self._changes += 1
            if self._changes % _COMMIT_EVERY == 0:
                self._rows.execute("COMMIT")
                self._rows.execute("BEGIN IMMEDIATE")

    def not_of(self, run: str) -> Iterator[str]:
        """Keys that a run did not need, in order: what was erased since."""
        after = ""
        query = "SELECT key FROM objects WHERE run <> ? AND key > ? ORDER BY key LIMIT 500"
        while True:
            with self._used():
                keys = [key for (key,) in self._rows.execute(query, (run, after))]
            yield from keys
            if not keys:
                return
            after = keys[-1]

    def remove(self, key: str) -> None:
        """Forget an object."""
        with self._used():
            self._rows.execute("DELETE FROM objects WHERE key = ?", (key,))

    def totals(self, run: str) -> tuple[int, int]:
        """How many objects a run needed, and their bytes."""
        query = "SELECT count(*), coalesce(sum(size_bytes), 0) FROM objects WHERE run = ?"
        with self._used():
            count, size_bytes = self._rows.execute(query, (run,)).fetchone()
        return int(count), int(size_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was noted is kept, whatever ended the run: every noted object is durable."""
        try:
            with self._used():
                if self._rows.in_transaction:  # SQLite has ended it where the disk is full
                    self._rows.execute("COMMIT")
        except Unreachable:
            if error is None:  # else the run has failed already, and says why
                raise
        finally:
            self._rows.close()

    @contextmanager
    def _used(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if _primary(error) in _OF_THE_DISK:
                raise Unreachable(
                    f"the index {self._path} of the backup cannot be written ({error})",
                    remedy="free space there, or check the disk",
                ) from error
            raise Misconfigured(
                f"the index {self._path} of the backup cannot be used ({error})",
                remedy="wait for another run to end, or delete the file: every copied object is then read again",
            ) from error


def _primary(error: sqlite3.Error) -> int | None:
    """SQLite's result code without its details; None for what the module says itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
