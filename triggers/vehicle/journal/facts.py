"""Facts and bundles in the journal: values and sealed bytes by name. Functions run in the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence


def set_facts(facts: Sequence[tuple[str, bytes]], db: sqlite3.Connection) -> None:
    """Store values by name."""
    db.executemany("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", facts)


def add_bundle(digest: str, sealed: bytes, db: sqlite3.Connection) -> None:
    """Store a bundle."""
    db.execute("INSERT OR REPLACE INTO bundles (digest, sealed) VALUES (?, ?)", (digest, sealed))


def delete_bundles(digests: Collection[str], db: sqlite3.Connection) -> None:
    """Delete bundles."""
    db.executemany("DELETE FROM bundles WHERE digest = ?", [(digest,) for digest in digests])
