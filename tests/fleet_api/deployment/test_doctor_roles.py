"""What the doctor says of the users of processes, in the database and on the machine; and the SQL that makes roles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from fleet_api.cli.main import main
from fleet_api.deployment.doctor.database import check_guards, check_rights, check_roles
from fleet_api.deployment.doctor.isolation import check_users
from storage.database import Database
from storage.diagnosis.guards import GUARDS, guards_that_are_off
from storage.roles.grants import apply_grants
from storage.roles.script import roles_script
from storage.settings import Settings


@contextmanager
def connected(database: Database, process: str, user: str) -> Iterator[None]:
    url = make_url(database.url).set(username=user).update_query_dict({"application_name": f"longtail {process}"})
    own = Database(url.render_as_string(hide_password=False), pool_size=1)
    try:
        with own.begin():
            yield
    finally:
        own.close()


@pytest.mark.integration
def test_processes_with_their_roles_are_as_they_should_be(database: Database) -> None:
    with connected(database, "api", "longtail_api"), connected(database, "ingest", "longtail_ingest"):
        finding = check_roles(database)
    assert finding.status == "ok"
    assert "api as longtail_api, ingest as longtail_ingest" in finding.message


@pytest.mark.integration
@pytest.mark.parametrize(("user", "what"), [("longtail", "a superuser"), ("longtail_owner", "the owner of the schema")])
def test_a_process_that_may_do_anything_is_named_with_what_to_do(database: Database, user: str, what: str) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE alembic_version OWNER TO longtail_owner")
    try:
        with connected(database, "api", "longtail_api"), connected(database, "gateway", user):
            finding = check_roles(database)
    finally:
        with database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE alembic_version OWNER TO longtail")
    assert finding.status == "warn"
    assert finding.message == f"connected as {what}, who may do anything there: gateway as {user}"
    assert "LONGTAIL_GATEWAY_DATABASE_URL" in finding.remedy


@pytest.mark.integration
def test_a_right_that_no_process_needs_is_warned_about(database: Database) -> None:
    assert check_rights(database).status == "ok"
    with database.begin() as connection:
        connection.execute(text("GRANT DELETE ON audit TO longtail_api"))
    finding = check_rights(database)
    assert (finding.status, finding.message) == (
        "warn",
        'longtail_api has DELETE on TABLE "audit", and should not',
    )
    assert finding.remedy.startswith("restart `longtail up`, or run `longtail migrate` if the database is your own:")
    with database.begin() as connection:
        apply_grants(connection)
    assert check_rights(database).status == "ok"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("right", "thing"),
    [
        ("DELETE", 'TABLE "audit"'),
        ("UPDATE (roles)", 'TABLE "api_tokens"'),
        ("EXECUTE", "FUNCTION drop_log_segment(bigint)"),
        ("CREATE", 'SCHEMA "public"'),
    ],
)
def test_a_right_of_everybody_that_not_every_process_needs_is_warned_about_and_taken(
    database: Database, right: str, thing: str
) -> None:
    with database.begin() as connection:
        connection.execute(text(f"GRANT {right} ON {thing} TO PUBLIC"))
    finding = check_rights(database)
    with database.begin() as connection:
        apply_grants(connection)
    assert (finding.status, finding.message) == (
        "warn",
        f"PUBLIC has {right} on {thing}, and should not",
    )
    assert check_rights(database).status == "ok"


@contextmanager
def without_rights(database: Database, role: str) -> Iterator[None]:
    """In a database that knows nothing of a role, which the server has for another one."""
    with database.begin() as connection:
        for of in ("ALL TABLES IN SCHEMA public", "ALL FUNCTIONS IN SCHEMA public", "SCHEMA public"):
            connection.execute(text(f"REVOKE ALL ON {of} FROM {role}"))
    try:
        yield
    finally:
        with database.begin() as connection:
            apply_grants(connection)


@pytest.mark.integration
def test_a_role_of_another_database_of_the_server_lacks_nothing_here(database: Database) -> None:
    with without_rights(database, "longtail_ingest"):
        assert check_rights(database).status == "ok"
        with connected(database, "ingest", "longtail_ingest"):
            assert check_rights(database).status == "fail", "it is used here"
        name = make_url(database.url).database
        with database.begin() as connection:
            connection.execute(text(f"GRANT CONNECT ON DATABASE {name} TO longtail_ingest"))
        finding = check_rights(database)
        with database.begin() as connection:
            connection.execute(text(f"REVOKE CONNECT ON DATABASE {name} FROM longtail_ingest"))
    assert (finding.status, "longtail_ingest lacks" in finding.message) == ("fail", True), "it was given this database"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("given", "message", "taken"),
    [
        ("ALTER ROLE longtail_api SUPERUSER", "longtail_api is SUPERUSER", "ALTER ROLE longtail_api NOSUPERUSER"),
        (
            "GRANT longtail_owner TO longtail_api",
            "longtail_api is a member of longtail_owner",
            "REVOKE longtail_owner FROM longtail_api",
        ),
    ],
)
def test_an_attribute_or_a_membership_is_warned_about_with_the_statement_that_takes_it(
    database: Database, given: str, message: str, taken: str
) -> None:
    with database.begin() as connection:
        connection.execute(text(given))
    try:
        finding = check_rights(database)
    finally:
        with database.begin() as connection:
            connection.execute(text(taken))
    assert (finding.status, finding.message) == ("warn", f"{message}, which gives it more than its process needs")
    assert f"superuser of the server, {taken};" in finding.remedy
    assert check_rights(database).status == "ok"


def test_every_trigger_of_the_schema_is_a_guard_that_the_doctor_looks_for(database: Database) -> None:
    question = """
        SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
    """
    with database.begin() as connection:
        assert {row.tgname: row.relname for row in connection.execute(text(question))} == GUARDS
        assert guards_that_are_off(connection) == {}


FULL = "`longtail doctor --full`"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("guards", "said", "unsaid"),
    [
        (["audit_is_append_only"], [FULL, "longtail audit --verify"], "comparison"),
        (
            ["price_books_are_append_only", "cost_entries_are_complete"],
            ["comparison of cost_entries, price_books with a backup"],
            "longtail doctor",
        ),
        (["audit_is_append_only", "price_books_are_append_only"], [FULL, "and by comparison of price_books"], "cost"),
    ],
)
def test_guards_that_are_off_are_all_switched_on_again_by_the_remedy_which_says_what_shows_changes(
    database: Database, guards: list[str], said: list[str], unsaid: str
) -> None:
    with database.begin() as connection:
        for name in guards:
            connection.execute(text(f"ALTER TABLE {GUARDS[name]} DISABLE TRIGGER {name}"))
    finding = check_guards(database)
    on_again = finding.remedy.removeprefix("as the owner, ").partition(", or restore")[0]
    with database.begin() as connection:
        for statement in on_again.split("; "):
            connection.execute(text(statement))
    assert check_guards(database).status == "ok"
    assert finding.status == "fail"
    assert all(phrase in finding.remedy for phrase in said)
    assert unsaid not in finding.remedy


def test_a_database_without_processes_is_no_reason_to_worry(database: Database) -> None:
    assert check_roles(database).document() == {
        "check": "database roles", "status": "ok", "message": "no process is connected", "remedy": "",
    }  # fmt: skip


def test_an_ordinary_user_is_told_once_that_nothing_keeps_the_processes_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (finding,) = check_users(Settings())
    assert finding.status == "ok"
    assert "all processes of user 1000 can reach each other's files" in finding.message


@pytest.mark.skipif(os.geteuid() != 0, reason="about what root does; these tests do not run as root")
def test_processes_that_stay_root_are_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "user 61001 may not run /root/python"
    monkeypatch.setattr(
        "fleet_api.deployment.doctor.isolation.obstacle", lambda user, _: said * (user.process == "api")
    )
    others, stuck = check_users(Settings(signer_user="root"))
    assert others.message.endswith("users: gateway 61002, ingest 61003; root by their settings: signer")
    assert (stuck.status, stuck.message) == ("warn", f"root, although they should not be: api: {said}")


def test_the_command_prints_the_sql_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["database", "roles"]) == 0
    assert capsys.readouterr().out == roles_script()
