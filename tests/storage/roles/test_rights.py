"""What each process's role may do in the database, and what it is refused, as a connection of that role finds out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from storage import audit, ledger, tokens
from storage.database import Connection, Database, SqlError
from storage.embedded.cluster import SUPERUSER
from storage.log import segments
from storage.migrate import migrate
from storage.roles.grants import apply_grants
from storage.roles.rights import FUNCTION_RIGHTS, PROCESS_ROLES, TABLE_RIGHTS, DatabaseRole
from storage.roles.sessions import ProcessSession, process_sessions
from storage.tables import metadata
from tests.storage.ledger.ledger_support import NOON, add_upload
from tests.support.fleet import add_version, charged_manifest, enroll_vehicle
from triggers.contracts.campaign import BudgetLimits
from triggers.errors import BudgetExhausted, Misconfigured

pytestmark = pytest.mark.integration
PROCESSES = sorted(PROCESS_ROLES.values())
ENTRY = "deployment.test", "test", "1"


def url_as(database: Database, role: str, **query: str) -> str:
    return make_url(database.url).set(username=role).update_query_dict(query).render_as_string(hide_password=False)


@contextmanager
def begun_as(database: Database, role: DatabaseRole) -> Iterator[Connection]:
    own = Database(url_as(database, role), pool_size=1)
    try:
        with own.begin() as connection:
            yield connection
    finally:
        own.close()


def require_refused(database: Database, role: DatabaseRole, statement: str) -> None:
    refused = pytest.raises(Misconfigured, match=r"refuses its user .*(permission denied|must be owner)")
    with refused, begun_as(database, role) as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("role", PROCESSES)
@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET action = 'other'", "DELETE FROM audit", "TRUNCATE audit", "DROP TABLE audit"]
)
def test_no_process_changes_the_audit_log(database: Database, role: DatabaseRole, statement: str) -> None:
    require_refused(database, role, statement)


def test_the_api_appends_to_the_audit_log_and_reads_it(database: Database) -> None:
    with begun_as(database, DatabaseRole.API) as connection:
        audit.record(connection, audit.at_the_machine(), *ENTRY)
        assert audit.walk(connection)[0].entries == 1


@pytest.mark.parametrize("role", [DatabaseRole.GATEWAY, DatabaseRole.INGEST])
@pytest.mark.parametrize("table", ["api_tokens", "audit", "trust_documents", "enrolment_codes", "bundle_signatures"])
def test_gateway_and_ingest_cannot_read_what_is_for_people(database: Database, role: DatabaseRole, table: str) -> None:
    require_refused(database, role, f"SELECT * FROM {table}")


def test_the_api_verifies_tokens_and_makes_none_but_sessions_of_a_day_at_most(database: Database) -> None:
    with database.begin() as connection:
        token = tokens.issue(connection, "ada", ["viewer"])
    with begun_as(database, DatabaseRole.API) as connection:
        assert tokens.authenticate(connection, token).name == "ada"
    with pytest.raises(Misconfigured, match="permission denied"), begun_as(database, DatabaseRole.API) as connection:
        tokens.issue(connection, "eve", ["admin"])
    require_refused(database, DatabaseRole.API, "UPDATE api_tokens SET roles = '{admin}'")
    for issuer, valid_s in (("'https://id.example'", 86401), ("NULL", 60)):
        longer = f"SELECT begin_session('x', 1, '', '{{admin}}', {issuer}, {valid_s})"
        with pytest.raises(SqlError, match="lasts a day at most"), begun_as(database, DatabaseRole.API) as connection:
            connection.execute(text(longer))


@pytest.mark.parametrize("role", PROCESSES)
def test_each_process_appends_to_the_audit_log(database: Database, role: DatabaseRole) -> None:
    for state in ({"a": 1}, {"a": 1}, {"a": 2}):
        with begun_as(database, role) as connection:
            audit.record_if_new(connection, audit.the_deployment(), *ENTRY, after=state)
    with database.begin() as connection:
        assert audit.walk(connection)[0].entries == 2


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (DatabaseRole.GATEWAY, "UPDATE vehicles SET token_hash = 'x'"),
        (DatabaseRole.GATEWAY, "UPDATE vehicles SET public_key = 'x'"),
        (DatabaseRole.GATEWAY, "DELETE FROM vehicles"),
        (DatabaseRole.GATEWAY, "UPDATE campaign_versions SET bundle = 'x'"),
        (DatabaseRole.GATEWAY, "DELETE FROM clips"),
        (DatabaseRole.GATEWAY, "DELETE FROM uploads"),
        (DatabaseRole.GATEWAY, "SELECT * FROM labels"),
        (DatabaseRole.GATEWAY, "SELECT drop_log_segment(1)"),
        (DatabaseRole.GATEWAY, "SELECT begin_embedding('x', 2)"),
        (DatabaseRole.GATEWAY, "SELECT * FROM clip_vectors"),
        (DatabaseRole.API, "INSERT INTO embeddings (id, dimensions) VALUES ('x', 2)"),
        (DatabaseRole.INGEST, "UPDATE embeddings SET dimensions = 3"),
        (DatabaseRole.API, "INSERT INTO vector_jobs (clip_id) VALUES ('x')"),
        (DatabaseRole.INGEST, "INSERT INTO campaign_versions (campaign) VALUES ('x')"),
        (DatabaseRole.INGEST, "UPDATE users SET name = 'x'"),
        (DatabaseRole.INGEST, "DELETE FROM erased_clips"),
        (DatabaseRole.INGEST, "UPDATE restores SET version_floor = 0"),
        (DatabaseRole.API, "SELECT * FROM log_records"),
        (DatabaseRole.API, "INSERT INTO clips (id) VALUES ('x')"),
        (DatabaseRole.API, "UPDATE ledger_accounts SET held = 0"),
        (DatabaseRole.API, "DELETE FROM trust_documents"),
        (DatabaseRole.API, "UPDATE trust_documents SET version = 9"),
        (DatabaseRole.API, "DELETE FROM vehicles"),
        (DatabaseRole.API, "SELECT begin_log_segment(99)"),
    ],
)
def test_a_process_cannot_do_what_only_others_do(database: Database, role: DatabaseRole, statement: str) -> None:
    require_refused(database, role, statement)


@pytest.mark.parametrize("role", [*PROCESSES, DatabaseRole.OWNER])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_read_file('/etc/passwd')",
        "COPY users FROM PROGRAM 'id'",
        "SET log_statement = 'all'",
        f"SET ROLE {SUPERUSER}",
        "SELECT * FROM pg_authid",
    ],
)
def test_no_role_reaches_the_server(database: Database, role: DatabaseRole, statement: str) -> None:
    require_refused(database, role, statement)


@pytest.mark.parametrize("role", PROCESSES)
def test_no_process_makes_tables_or_reads_those_that_it_is_not_given(database: Database, role: DatabaseRole) -> None:
    require_refused(database, role, "CREATE TABLE own (x integer)")
    require_refused(database, role, "ALTER TABLE vehicles ADD COLUMN x integer")
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE later (x integer)"))
    require_refused(database, role, "SELECT * FROM later")


def test_segments_are_dropped_by_ingest_only_when_they_are_closed(database: Database) -> None:
    with begun_as(database, DatabaseRole.INGEST) as connection:
        first = segments.begin(connection)
        second = segments.begin(connection)
        segments.drop(connection, first, [])
        assert segments.segments(connection) == [second]
    for statement in (f"SELECT drop_log_segment({second})", f"SELECT begin_log_segment({second})"):
        refused = pytest.raises(SqlError, match=r"is not closed|is not the next one")
        with refused, begun_as(database, DatabaseRole.INGEST) as connection:
            connection.execute(text(statement))


def test_the_gateway_reserves_takes_back_what_is_refused_and_deletes_no_entry_by_itself(database: Database) -> None:
    with database.begin() as connection:
        enroll_vehicle(connection)
        add_version(connection, "small", limits=BudgetLimits(total_bytes=10))
        fits, refused = (charged_manifest({"small": size}) for size in (6, 11))
        uploads = [add_upload(connection, manifest) for manifest in (fits, refused)]
    with begun_as(database, DatabaseRole.GATEWAY) as connection:
        ledger.reserve(connection, uploads[0], fits, now=NOON)
        with pytest.raises(BudgetExhausted, match="4 bytes left of 10"):
            ledger.reserve(connection, uploads[1], refused, now=NOON)
        entries = connection.execute(text("SELECT DISTINCT upload_id FROM ledger_entries")).scalars().all()
    assert entries == [uploads[0]]
    require_refused(database, DatabaseRole.GATEWAY, "DELETE FROM ledger_entries")
    for role in (DatabaseRole.API, DatabaseRole.INGEST):
        require_refused(database, role, "SELECT reserve_upload('x', '{}')")


def test_a_migration_takes_rights_that_nobody_has_given_to_a_role(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("GRANT DELETE, UPDATE ON audit TO longtail_api"))
        connection.execute(text("GRANT UPDATE (roles) ON api_tokens TO longtail_api"))
        connection.execute(text("REVOKE SELECT ON clips FROM longtail_api"))
    migrate(database)
    require_refused(database, DatabaseRole.API, "DELETE FROM audit")
    require_refused(database, DatabaseRole.API, "UPDATE api_tokens SET roles = '{}'")
    with begun_as(database, DatabaseRole.API) as connection:
        connection.execute(text("SELECT id FROM clips"))
        connection.execute(text("UPDATE api_tokens SET last_used_at = now()"))


def test_roles_that_do_not_exist_need_no_rights(database: Database) -> None:
    connection = database.engine.connect()
    try:
        connection.execute(text("ALTER ROLE longtail_ingest RENAME TO somebody"))
        assert sorted(apply_grants(connection)) == [DatabaseRole.API, DatabaseRole.GATEWAY]
    finally:
        connection.rollback()
        connection.close()


def test_every_right_is_for_something_that_there_is(database: Database) -> None:
    known = {*metadata.tables, "alembic_version"}
    for rights in TABLE_RIGHTS.values():
        assert set(rights) <= known
    with database.begin() as connection:
        for function in {each for functions in FUNCTION_RIGHTS.values() for each in functions}:
            assert connection.execute(text("SELECT to_regprocedure(:name)"), {"name": function}).scalar_one()


@pytest.mark.parametrize(
    ("role", "superuser", "owner"),
    [(DatabaseRole.GATEWAY, False, False), (SUPERUSER, True, True)],
)
def test_a_session_tells_its_process_and_what_its_user_may(
    database: Database, role: str, superuser: bool, owner: bool
) -> None:
    own = Database(url_as(database, role, application_name="longtail gateway"), pool_size=1)
    try:
        with own.begin(), database.begin() as connection:
            assert process_sessions(connection) == [ProcessSession("gateway", role, superuser, owner)]
    finally:
        own.close()
