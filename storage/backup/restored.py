"""What remains to be known of a restore afterwards: that there was one, and which numbers were given before it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, func, select

from storage.tables import restores


def last_backup_at(connection: Connection) -> datetime | None:
    """When the backup was made that this database was last restored from; None if it never was."""
    found: datetime | None = connection.execute(
        select(restores.c.backup_at).order_by(restores.c.id.desc()).limit(1)
    ).scalar_one_or_none()
    return found


def version_floor() -> ScalarSelect[int]:
    """The highest campaign version that may have been given before a restore: new ones must be above it."""
    return select(func.coalesce(func.max(restores.c.version_floor), 0)).scalar_subquery()
