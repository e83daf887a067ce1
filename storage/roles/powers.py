"""What lets a process's role do more than its rights say: its attributes, and the roles that it is a member of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.roles.rights import DatabaseRole

ATTRIBUTES = {
    "SUPERUSER": "rolsuper",
    "CREATEDB": "rolcreatedb",
    "CREATEROLE": "rolcreaterole",
    "REPLICATION": "rolreplication",
    "BYPASSRLS": "rolbypassrls",
}
"""Attributes of PostgreSQL's roles that none of ours has, each with its column of `pg_roles`."""

_COLUMNS = ", ".join(f"('{attribute}', r.{column})" for attribute, column in ATTRIBUTES.items())
_WITH_ATTRIBUTES = text(f"""
    SELECT r.rolname, a.attribute
    FROM pg_roles r CROSS JOIN LATERAL (VALUES {_COLUMNS}) a (attribute, has)
    WHERE r.rolname = ANY (:names) AND a.has
    ORDER BY 1, 2
""")  # noqa: S608 - put together from the constants above
_MEMBERS = text("""
    SELECT DISTINCT r.rolname, quote_ident(g.rolname)
    FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
    WHERE r.rolname = ANY (:names)
    ORDER BY 1, 2
""")


@dataclass(frozen=True, slots=True)
class Power:
    """Something that a role has as a phrase, and the SQL by which a superuser takes it."""

    phrase: str
    take: str


def powers_of(connection: Connection, roles: Collection[DatabaseRole]) -> tuple[Power, ...]:
    """Attributes and memberships of the roles, which have none when `script.py` made them and nobody gave them any."""
    asked = {"names": [str(role) for role in roles]}
    attributes = [
        Power(f"{role} is {attribute}", f"ALTER ROLE {role} NO{attribute}")
        for role, attribute in connection.execute(_WITH_ATTRIBUTES, asked)
    ]
    memberships = [
        Power(f"{role} is a member of {group}", f"REVOKE {group} FROM {role}")
        for role, group in connection.execute(_MEMBERS, asked)
    ]
    return (*attributes, *memberships)
