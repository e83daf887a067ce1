"""The SQL that makes the roles, for a superuser of the server: run once, and again whenever, to the same effect.

It makes the owner, gives it the database and what Longtail has in it already, and closes the database to everybody
else. What each process may do in it is given by the owner with each migration (grants.py).
"""

from __future__ import annotations

from storage.roles.functions import FUNCTIONS
from storage.roles.powers import ATTRIBUTES
from storage.roles.rights import DatabaseRole
from storage.tables import metadata

_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} LOGIN;
    END IF;
END $$;
ALTER ROLE {role} LOGIN {without};"""
_DATABASE = """
DO $$
DECLARE
    thing regclass;
    called regprocedure;
BEGIN
    CREATE EXTENSION IF NOT EXISTS vector;
    EXECUTE format('ALTER DATABASE %I OWNER TO {owner}', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO {processes}', current_database());
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', current_schema());
    EXECUTE format('GRANT ALL ON SCHEMA %I TO {owner}', current_schema());
    FOR thing IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
            AND (c.relname IN ({tables}) OR c.relispartition AND c.relname ~ '^log_records_[0-9]+$')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO {owner}', thing);
    END LOOP;
    FOR called IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace AND p.proname IN ({functions})
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO {owner}', called);
    END LOOP;
END $$;"""


def roles_script() -> str:
    """The SQL, without passwords; `current_database()` and `current_schema()` are the deployment's."""
    without = " ".join(f"NO{attribute}" for attribute in ATTRIBUTES)
    made = [_ROLE.format(role=role, without=without) for role in DatabaseRole]
    given = _DATABASE.format(
        owner=DatabaseRole.OWNER,
        processes=", ".join(role for role in DatabaseRole if role is not DatabaseRole.OWNER),
        tables=_listed(sorted({*metadata.tables, "alembic_version"})),
        functions=_listed(FUNCTIONS),
    )
    return "\n".join([*made, given]).strip() + "\n"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
