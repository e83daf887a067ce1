"""The id of the deployment that a database belongs to, by which its processes are told from those of another one."""

from __future__ import annotations

from sqlalchemy import select

from storage.database import Database
from storage.diagnosis.schema import require_current
from storage.tables import deployment


def deployment_of(database: Database) -> str:
    """The id, 32 hex digits. Misconfigured unless the schema is the one of this version."""
    require_current(database)
    with database.begin() as connection:
        return str(connection.execute(select(deployment.c.id)).scalar_one())
