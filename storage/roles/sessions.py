"""As whom the processes of a deployment are connected to its database, and what that user is there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.roles.rights import PROCESS_ROLES

NAME_PREFIX = "longtail "
"""What the name of a process's sessions (`application_name`) begins with; the process's name follows."""
_SESSIONS = text("""
    SELECT DISTINCT a.application_name, a.usename, r.rolsuper,
        r.oid IN (d.datdba, t.relowner) OR pg_has_role(r.oid, d.datdba, 'USAGE') AS owns
    FROM pg_stat_activity a
    JOIN pg_roles r ON r.oid = a.usesysid
    JOIN pg_database d ON d.datname = a.datname
    JOIN pg_class t ON t.oid = to_regclass('alembic_version')
    WHERE a.datname = current_database() AND a.application_name = ANY (:names)
    ORDER BY 1, 2
""")


@dataclass(frozen=True, slots=True)
class ProcessSession:
    """A process and the user that it is connected as; whether that is a superuser, or owns the tables or database."""

    process: str
    user: str
    is_superuser: bool
    is_owner: bool


def process_sessions(connection: Connection) -> list[ProcessSession]:
    """Every process that is connected now, once for each user that it is connected as."""
    names = [f"{NAME_PREFIX}{name}" for name in PROCESS_ROLES]
    return [
        ProcessSession(name.removeprefix(NAME_PREFIX), user, is_superuser, is_owner)
        for name, user, is_superuser, is_owner in connection.execute(_SESSIONS, {"names": names})
    ]
