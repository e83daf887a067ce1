"""The index of a backup's objects: which are copied and checked, so that a run that was cut off can go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from triggers.errors import Misconfigured

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS objects (
        key TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, run TEXT NOT NULL
    ) WITHOUT ROWID
"""
_COMMIT_EVERY = 200


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
        row = self._rows.execute("SELECT size_bytes, sha256 FROM objects WHERE key = ?", (key,)).fetchone()
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

    def totals(self) -> tuple[int, int]:
        """How many objects there are, and their bytes."""
        count, size_bytes = self._rows.execute("SELECT count(*), coalesce(sum(size_bytes), 0) FROM objects").fetchone()
        return int(count), int(size_bytes)

    def all(self) -> Iterator[tuple[str, int, str]]:
        """Every object's key, size and SHA-256, by key."""
        with closing(self._rows.execute("SELECT key, size_bytes, sha256 FROM objects ORDER BY key")) as rows:
            yield from ((str(key), int(size), str(digest)) for key, size, digest in rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was noted is kept, whatever ended the run: every noted object is durable."""
        self._rows.execute("COMMIT")
        self._rows.close()
