"""Compares the rights of the processes' roles with `rights.py`: those that are missing are given, others taken.

Part of each migration, in its transaction, so that a table of a new version has its rights when it appears. Roles that
do not exist get none: a database that one user owns and uses for everything needs no roles. What everybody has (PUBLIC)
each role has, too: where there are roles, nothing is everybody's that one of them should not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, text

from storage.roles.functions import lost_functions
from storage.roles.powers import Power, powers_of
from storage.roles.rights import FUNCTION_RIGHTS, TABLE_RIGHTS, DatabaseRole

Right = tuple[str, str, str]
"""The right, to which kind of thing, by its name: `("SELECT", "TABLE", "clips")`."""

_PUBLIC = "PUBLIC"
_RIGHT = re.compile(r"(\w+)(?: \(([^)]*)\))?")
_EXISTING = text("SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)")
_USED_HERE = text("""
    SELECT r.rolname FROM pg_roles r JOIN pg_database d ON d.datname = current_database()
    WHERE r.rolname = ANY (:names) AND (
        EXISTS (SELECT FROM aclexplode(d.datacl) a WHERE a.grantee = r.oid)
        OR EXISTS (SELECT FROM pg_stat_activity s WHERE s.datid = d.oid AND s.usesysid = r.oid)
    )
""")
"""Roles that may connect to this database because `script.py` says so, or are connected to it."""
_OF_EXTENSION = (
    "EXISTS (SELECT FROM pg_depend d WHERE d.classid = {0}.tableoid AND d.objid = {0}.oid AND d.deptype = 'e')"
)
_OWN_TABLE = f"""
    c.relnamespace = to_regnamespace(current_schema()) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND NOT {_OF_EXTENSION.format("c")}"""
_RIGHTS = text(f"""
    SELECT a.privilege_type, 'TABLE', c.relname
        FROM pg_class c, aclexplode(c.relacl) a WHERE {_OWN_TABLE} AND a.grantee = CAST(:grantee AS regrole)
    UNION ALL SELECT a.privilege_type || ' (' || quote_ident(t.attname) || ')', 'TABLE', c.relname
        FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
        WHERE {_OWN_TABLE} AND a.grantee = CAST(:grantee AS regrole)
    UNION ALL SELECT a.privilege_type, 'FUNCTION', format('%s(%s)', p.proname, oidvectortypes(p.proargtypes))
        FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.pronamespace = to_regnamespace(current_schema()) AND NOT {_OF_EXTENSION.format("p")}
            AND a.grantee = CAST(:grantee AS regrole)
            AND (p.prosecdef OR a.grantee <> 0)  -- everybody may call what does nothing but with the caller's rights
    UNION ALL SELECT a.privilege_type, 'SCHEMA', n.nspname
        FROM pg_namespace n, aclexplode(n.nspacl) a
        WHERE n.nspname = current_schema() AND a.grantee = CAST(:grantee AS regrole)
""")  # noqa: S608 - put together from the constants above


def apply_grants(connection: Connection) -> list[DatabaseRole]:
    """Give each role that exists exactly its rights; returns these roles. The connection is the owner's."""
    existing = _existing(connection)
    _revoke(connection, _PUBLIC, _beyond_all(connection, existing))
    for role, wanted in existing.items():
        _revoke(connection, role, _held(connection, role) - wanted)
        # Read again: a right that is taken of a table is taken of its columns, too.
        for right, things in _by_right(wanted - _held(connection, role)):
            connection.execute(text(f"GRANT {right} ON {things} TO {role}"))
    return list(existing)


def _revoke(connection: Connection, grantee: str, rights: set[Right]) -> None:
    for right, things in _by_right(rights):
        connection.execute(text(f"REVOKE {right} ON {things} FROM {grantee}"))


@dataclass(frozen=True, slots=True)
class RightsThatDiffer:
    """Rights that roles should have and lack, and those that they have and should not, each as a phrase; and what else
    roles have, which no migration takes."""

    lacking: tuple[str, ...]
    beyond: tuple[str, ...]
    powers: tuple[Power, ...]


def compare_grants(connection: Connection) -> RightsThatDiffer:
    """What `apply_grants` would change, and powers of the roles: somebody has given or taken them by hand."""
    existing = _existing(connection)
    held = {role: _held(connection, role) for role in existing}
    used = connection.execute(_USED_HERE, {"names": [str(role) for role in existing]}).scalars().all()
    # Roles are the server's: what those of another database lack in this one is not missing.
    own = {role: wanted for role, wanted in existing.items() if held[role] or role in used}
    lost = {("EXECUTE", "FUNCTION", function) for function in lost_functions(connection)}
    lacking: list[str] = []
    beyond = _having(_PUBLIC, _beyond_all(connection, own))
    for role, wanted in own.items():
        missing = wanted - held[role] - lost  # a right to what is gone is not what is missing
        lacking += (f"{role} lacks {right} on {things}" for right, things in _by_right(missing))
        beyond += _having(role, held[role] - wanted)
    return RightsThatDiffer(tuple(lacking), tuple(beyond), powers_of(connection, own))


def _having(grantee: str, rights: set[Right]) -> list[str]:
    return [f"{grantee} has {right} on {things}" for right, things in _by_right(rights)]


def _beyond_all(connection: Connection, roles: dict[DatabaseRole, set[Right]]) -> set[Right]:
    """What everybody has, and so each role, although not every one of these roles should have it."""
    everybodys = _held(connection, _PUBLIC)
    return {right for right in everybodys if any(right not in wanted for wanted in roles.values())}


def _existing(connection: Connection) -> dict[DatabaseRole, set[Right]]:
    """The roles that exist, and the rights that they should have."""
    names = [str(role) for role in TABLE_RIGHTS]
    existing = [DatabaseRole(name) for name in connection.execute(_EXISTING, {"names": names}).scalars()]
    schema = str(connection.execute(text("SELECT current_schema()")).scalar_one())
    return {role: set(rights_of(role, schema)) for role in existing}


def _held(connection: Connection, grantee: str) -> set[Right]:
    name = "-" if grantee == _PUBLIC else str(grantee)  # to `regrole`, this is who has what everybody has
    return {(what, kind, of) for what, kind, of in connection.execute(_RIGHTS, {"grantee": name})}


def _by_right(rights: set[Right]) -> Iterator[tuple[str, str]]:
    """Each right with everything that it is for, so that few statements give them."""
    for (kind, what), group in groupby(sorted(rights, key=_by_kind), key=_by_kind):
        yield what, f"{kind} {', '.join(_quoted(kind, name) for _, _, name in group)}"


def _by_kind(right: Right) -> tuple[str, str]:
    return right[1], right[0]


def rights_of(role: DatabaseRole, schema: str) -> Iterator[Right]:
    """The rights of a process's role, one by one, each column apart."""
    yield "USAGE", "SCHEMA", schema
    for table, rights in TABLE_RIGHTS[role].items():
        for right, columns in _RIGHT.findall(rights):
            for column in columns.split(", "):
                yield f"{right} ({column})" if column else right, "TABLE", table
    for function in FUNCTION_RIGHTS[role]:
        yield "EXECUTE", "FUNCTION", function


def _quoted(kind: str, name: str) -> str:
    return name if kind == "FUNCTION" else '"' + name.replace('"', '""') + '"'
