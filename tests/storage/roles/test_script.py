"""The SQL that makes the roles: for a new database, and for one that a single user has owned until now."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from ingest.log import PostgresLog
from storage.database import Database
from storage.diagnosis.schema import schema_of
from storage.migrate import differences as schema_differences
from storage.migrate import migrate
from storage.roles.rights import PROCESS_ROLES, DatabaseRole
from storage.roles.script import roles_script
from tests.support.servers.postgres import libpq_url

pytestmark = pytest.mark.integration
_FOREIGN = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relowner <> 'longtail_owner'::regrole
    UNION ALL SELECT CAST(p.oid AS regprocedure)::text FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'longtail_owner'::regrole
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
_PROCESSES = ", ".join(PROCESS_ROLES.values())
_WITHOUT_ROLES = [
    f"REVOKE ALL ON {of} public FROM {_PROCESSES}"
    for of in ("ALL TABLES IN SCHEMA", "ALL FUNCTIONS IN SCHEMA", "SCHEMA")
]
"""As in a database that was migrated before its server had the roles: the tests' server has them from the start."""


def run_script(url: str) -> None:
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute(roles_script())


def as_role(url: str, role: str) -> Database:
    return Database(make_url(url).set(username=role).render_as_string(hide_password=False), pool_size=2)


def test_the_owner_makes_the_schema_of_a_new_database(database_url: str) -> None:
    run_script(database_url)
    run_script(database_url)
    owner, api = as_role(database_url, DatabaseRole.OWNER), as_role(database_url, DatabaseRole.API)
    try:
        migrate(owner)
        assert schema_of(api).state == "current"
        assert not schema_differences(owner)
    finally:
        owner.close()
        api.close()


def test_a_database_that_one_user_owned_goes_to_the_owner_with_its_log(database_url: str) -> None:
    before = Database(database_url, pool_size=2)
    migrate(before)
    with before.begin() as connection:
        for statement in _WITHOUT_ROLES:
            connection.execute(text(statement))
    log = PostgresLog(before, lease_s=10)
    log.ensure_topic("cells", partitions=1, retention_s=60)
    log.append("cells", 0, [(b"key", b"value")])
    before.close()
    run_script(database_url)
    owner, ingest = as_role(database_url, DatabaseRole.OWNER), as_role(database_url, DatabaseRole.INGEST)
    try:
        migrate(owner)
        with owner.begin() as connection:
            foreign = connection.execute(text(_FOREIGN))
            assert foreign.scalars().all() == []
        assert PostgresLog(ingest, lease_s=10).append("cells", 0, [(b"key", b"more")]) == [1]
        assert PostgresLog(ingest, lease_s=10).enforce_retention() == 0
    finally:
        owner.close()
        ingest.close()


def test_nobody_else_connects_to_the_database(database_url: str) -> None:
    run_script(database_url)
    with psycopg.connect(libpq_url(database_url), autocommit=True) as connection:
        connection.execute("CREATE ROLE somebody_else LOGIN")
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(libpq_url(make_url(database_url).set(username="somebody_else").render_as_string()))
        finally:
            connection.execute("DROP ROLE somebody_else")
