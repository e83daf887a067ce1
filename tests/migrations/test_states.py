"""Every state that a database can be in: migrating it works, or ends with what is wrong and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from fleet_api.api.app import create_app
from fleet_api.cli.main import main
from fleet_api.deployment.deployment import Deployment
from fleet_api.deployment.keys import ensure_signing_key
from ingest import worker
from ingest.gateway.app import create_app as create_gateway
from storage.database import Database
from storage.diagnosis.schema import SchemaState, head_revision, schema_of
from storage.migrate import differences, migrate
from storage.settings import Settings
from tests.ingest.gateway.serving import serve
from tests.support.locks import waits_for_a_lock
from tests.support.paths import REPOSITORY
from tests.support.servers.database import migrated_database
from tests.support.servers.postgres import libpq_url
from tests.support.waiting import wait_for
from tests.support.whole_system import FREE_PORTS
from triggers.errors import Misconfigured, Unreachable

NEWER = (
    "UPDATE alembic_version SET version_num = '9999'; COMMENT ON TABLE alembic_version IS 'migrated by longtail 9.1'"
)
BREAKAGES = {
    "newer": (NEWER, SchemaState.AHEAD, "install longtail 9.1"),
    "newer, unsigned": ("UPDATE alembic_version SET version_num = '9999'", SchemaState.AHEAD, "longtail restore"),
    "without a revision": ("DELETE FROM alembic_version", SchemaState.FOREIGN, "restore a backup"),
    "half-restored": ("DROP TABLE alembic_version; DROP TABLE clips CASCADE", SchemaState.FOREIGN, "cut off"),
    "two revisions": ("INSERT INTO alembic_version VALUES ('0001')", SchemaState.FOREIGN, "restore a backup"),
}
COMMAND = [sys.executable, "-m", "fleet_api.cli"]
OLDER = "UPDATE alembic_version SET version_num = '0003'"
EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
EMPTIED = {
    "another program's": (
        f"{EMPTY} CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('ab12');"
        " CREATE TABLE songs (id int)",
        SchemaState.FOREIGN,
        "a database of Longtail's own",
    ),
    "another program's table of our name": (f"{EMPTY} CREATE TABLE clips (id int)", SchemaState.FOREIGN, "empty"),
}


@pytest.fixture
def database(postgres_url: str, migrated: str) -> Iterator[Database]:
    """A migrated database that nobody uses after the test."""
    with migrated_database(postgres_url, migrated) as database:
        yield database


def do(database: Database, statements: str) -> None:
    with database.begin() as connection:
        for statement in filter(None, map(str.strip, statements.split(";"))):
            connection.execute(text(statement))


def migrate_command(database: Database, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", database.url)
    return main(["migrate", *options])


@pytest.mark.parametrize("name", [*BREAKAGES, *EMPTIED])
def test_a_schema_that_no_migration_leads_on_from_is_named_and_left_as_it_is(
    name: str, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    statements, state, remedy = (BREAKAGES | EMPTIED)[name]
    do(database, statements)
    schema = schema_of(database)
    assert schema.state is state and remedy in schema.remedy
    with pytest.raises(Misconfigured, match="database at"):
        migrate(database)
    assert schema_of(database) == schema
    assert migrate_command(database, monkeypatch) == 1
    assert migrate_command(database, monkeypatch, "--check") == (4 if state is SchemaState.AHEAD else 1)
    said = capsys.readouterr()
    assert remedy in said.out and remedy in said.err and "Traceback" not in said.err + said.out
    with (
        pytest.raises(Misconfigured, match="database at"),
        Deployment(Settings(database_url=database.url, data_dir=data_dir / "data", **FREE_PORTS)),
    ):
        pytest.fail("started")


def test_the_check_tells_an_empty_an_old_and_a_current_schema_apart(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrate_command(database, monkeypatch, "--check") == 0
    do(database, "UPDATE alembic_version SET version_num = '0001'")
    assert migrate_command(database, monkeypatch, "--check") == 3
    do(database, EMPTY)
    assert migrate_command(database, monkeypatch, "--check") == 3
    assert schema_of(database).state is SchemaState.EMPTY
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["current", "behind", "empty"]
    assert migrate_command(database, monkeypatch) == 0
    assert schema_of(database).revision == head_revision()


def test_a_migration_that_does_not_fit_changes_nothing_and_says_so(database: Database) -> None:
    do(
        database,
        "ALTER TABLE label_jobs DROP COLUMN claimed_by CASCADE; UPDATE alembic_version SET version_num = '0003'",
    )
    with pytest.raises(Misconfigured, match="is not one that Longtail has left"):
        migrate(database)
    assert schema_of(database).revision == "0003"


@pytest.mark.parametrize(
    ("statements", "remedy"), [(NEWER, "install longtail 9.1"), (OLDER, "longtail migrate")], ids=["newer", "older"]
)
def test_no_process_is_ready_on_the_schema_of_another_version_and_each_says_what_to_do(
    database: Database, data_dir: Path, caplog: pytest.LogCaptureFixture, statements: str, remedy: str
) -> None:
    settings = Settings(database_url=database.url, data_dir=data_dir, extraction_workers=0)
    ensure_signing_key(settings)
    do(database, statements)
    for app in (create_app(settings), create_gateway(settings)):
        caplog.clear()
        with serve(app) as url:
            assert httpx.get(f"{url}/readyz", timeout=60).status_code == 503
        assert remedy in caplog.text
    with pytest.raises(Misconfigured) as caught:
        worker.run(settings, threading.Event())
    assert remedy in caught.value.remedy


def test_a_migration_that_was_killed_in_the_middle_changed_nothing_and_is_made_by_the_next(database: Database) -> None:
    do(database, EMPTY)
    with psycopg.connect(libpq_url(database.url)) as blocker:  # it waits in the middle, for a lock on its own table
        blocker.execute("CREATE TABLE audit (id int)")
        environment = {**os.environ, "LONGTAIL_DATABASE_URL": database.url}
        process = subprocess.Popen([*COMMAND, "migrate"], env=environment, cwd=REPOSITORY)
        try:
            wait_for(lambda: waits_for_a_lock(database), within_s=60, what="the migration to be in its middle")
        finally:
            process.kill()
            process.wait()
        assert schema_of(database).state is SchemaState.EMPTY
        blocker.rollback()  # the server notices only now that nobody waits for its answer
    assert schema_of(database).state is SchemaState.EMPTY
    assert migrate(database) == head_revision() == migrate(database)
    assert differences(database) == []


def test_other_tables_beside_ours_are_left_alone(database: Database) -> None:
    do(database, f"{EMPTY} CREATE TABLE spatial_ref_sys (srid int)")
    assert migrate(database) == head_revision()


def test_a_read_only_database_cannot_be_migrated_and_is_told(database: Database) -> None:
    do(database, f"{EMPTY} ALTER DATABASE {make_url(database.url).database} SET default_transaction_read_only = on")
    database.close()
    with pytest.raises(Unreachable, match="is read-only"):
        migrate(database)


def test_a_user_without_rights_cannot_migrate_and_is_told(database: Database) -> None:
    role = f"guest_{make_url(database.url).database}"
    do(database, f"{EMPTY} CREATE ROLE {role} LOGIN")
    guest = Database(make_url(database.url).set(username=role).render_as_string(hide_password=False))
    try:
        with pytest.raises(Misconfigured, match="refuses its user the right") as caught:
            migrate(guest)
        assert "owner" in caught.value.remedy
    finally:
        guest.close()
        do(database, f"DROP ROLE {role}")
