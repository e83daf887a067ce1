"""Numbers that are never given twice, whatever was restored: revisions of lists, and versions of campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Connection, ScalarSelect, cast, func, insert, select, update

from storage.backup.tables import saved_tables
from storage.tables import assignment_revision, campaign_versions, restores, vehicles
from triggers.times import MS_PER_S

VERSIONS_AHEAD = 1000
IDS_AHEAD = 1_000_000


def last_backup_at(connection: Connection) -> datetime | None:
    """When the backup was made that this database was last restored from; None if it never was."""
    found: datetime | None = connection.execute(
        select(restores.c.backup_at).order_by(restores.c.id.desc()).limit(1)
    ).scalar_one_or_none()
    return found


def version_floor() -> ScalarSelect[int]:
    """The highest campaign version that may have been given before a restore: new ones must be above it."""
    return select(func.coalesce(func.max(restores.c.version_floor), 0)).scalar_subquery()


def next_revision() -> ColumnElement[int]:
    """The revision of a change that is made now: the time in ms since 1970, or the next number if that is higher."""
    now_ms = cast(func.extract("epoch", func.clock_timestamp()) * MS_PER_S, BigInteger)
    return func.greatest(assignment_revision.c.revision + 1, now_ms)


@dataclass(frozen=True, slots=True)
class Moved:
    """Where numbers continue after a restore: the revision, and what new campaign versions are above."""

    revision: int
    version_floor: int


def move_on(connection: Connection, *, backup_id: str, backup_at: datetime) -> Moved:
    """Leave behind every number that may have been given between `backup_at` and the restore of that backup.

    The revision exceeds what any vehicle has reported, new versions are above VERSIONS_AHEAD, new ids above IDS_AHEAD.
    """
    followed = select(func.coalesce(func.max(vehicles.c.revision), 0)).scalar_subquery()
    revision = connection.execute(
        update(assignment_revision)
        .values(revision=func.greatest(next_revision(), followed + 1))
        .returning(assignment_revision.c.revision)
    ).scalar_one()
    newest = select(func.coalesce(func.max(campaign_versions.c.version), 0)).scalar_subquery()
    given = connection.execute(select(func.greatest(newest, version_floor()))).scalar_one()
    floor = (given // VERSIONS_AHEAD + 1) * VERSIONS_AHEAD
    connection.execute(insert(restores).values(backup_id=backup_id, backup_at=backup_at, version_floor=floor))
    for table in saved_tables():
        for column in table.columns:
            if column.identity is not None:
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                newest_id = select(func.coalesce(func.max(column), 0)).scalar_subquery()
                connection.execute(select(func.setval(sequence, newest_id + IDS_AHEAD)))
    return Moved(revision, floor)
