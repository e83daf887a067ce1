"""Whether something waits for a lock of PostgreSQL: how a test knows that two transactions have met."""

from __future__ import annotations

from sqlalchemy import text

from storage.database import Database

_WAITING = text(
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() ORDER BY pid"
)


def waiting_for_a_lock(database: Database) -> list[int]:
    """The server's processes of this database that wait for a lock."""
    with database.begin() as connection:
        return list(connection.execute(_WAITING).scalars())


def waits_for_a_lock(database: Database) -> bool:
    """Whether any of them does."""
    return bool(waiting_for_a_lock(database))
