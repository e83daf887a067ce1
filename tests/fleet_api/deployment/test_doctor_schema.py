"""The doctor on a schema that somebody has changed by hand: what is gone is told as that, with what to do."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from fleet_api.deployment.doctor.database import check_functions, check_rights, check_schema
from storage.database import Database
from storage.roles.functions import FUNCTIONS

pytestmark = pytest.mark.integration


def change(database: Database, statement: str) -> None:
    with database.begin() as connection:
        for each in statement.split("; "):
            connection.execute(text(each))


@pytest.mark.parametrize(
    ("statement", "status", "phrase"),
    [
        ("DROP TABLE saved_searches", "fail", "it lacks the table saved_searches"),
        ("ALTER TABLE outbox DROP COLUMN created_at", "fail", "it lacks the column outbox.created_at"),
        (
            "ALTER TABLE clips ADD COLUMN by_hand integer",
            "warn",
            "it has, beyond what it needs, the column clips.by_hand",
        ),
        ("CREATE TABLE by_hand (id integer)", "warn", "it has, beyond what it needs, the table by_hand"),
        (
            "CREATE INDEX by_hand ON outbox (topic)",
            "warn",
            "it has, beyond what it needs, the index by_hand of the table outbox",
        ),
        (
            "ALTER TABLE outbox ALTER COLUMN topic DROP NOT NULL",
            "warn",
            "the column outbox.topic may be NULL",
        ),
        (
            "ALTER TABLE outbox ALTER COLUMN created_at DROP DEFAULT",
            "fail",
            "it lacks the default now() of the column outbox.created_at",
        ),
        ("COMMENT ON TABLE outbox IS 'by hand'", "warn", "the comment of the table outbox was changed"),
    ],
)
def test_a_part_that_is_gone_fails_and_one_that_is_changed_is_warned_about(
    database: Database, statement: str, status: str, phrase: str
) -> None:
    change(database, statement)
    finding = check_schema(database)
    assert (finding.status, phrase in finding.message) == (status, True), finding
    assert finding.remedy


@pytest.mark.parametrize(
    ("statement", "status", "phrase"),
    [
        ("DROP INDEX ix_clips_implausible, ix_clips_middle", "warn", "it lacks the index ix_clips_"),
        ("DROP INDEX uq_uploads_live_clip", "fail", "it lacks the index uq_uploads_live_clip of the table uploads"),
        (
            "DROP INDEX ix_clips_middle; CREATE INDEX ix_clips_middle ON clips (id)",
            "warn",
            "the index ix_clips_middle of the table clips was changed",
        ),
        (
            "ALTER TABLE vehicles DROP CONSTRAINT uq_vehicles_token_hash",
            "fail",
            "it lacks the constraint uq_vehicles_token_hash of the table vehicles",
        ),
        (
            "ALTER TABLE clips DROP CONSTRAINT fk_clips_vehicle_id",
            "warn",
            "it lacks the constraint fk_clips_vehicle_id",
        ),
        ("ALTER TABLE outbox ALTER COLUMN created_at DROP DEFAULT", "fail", "it lacks the default now()"),
        ("ALTER TABLE outbox ALTER COLUMN topic DROP NOT NULL", "warn", "may be NULL"),
    ],
)
def test_what_was_changed_and_holds_no_rows_is_made_again_by_the_remedy(
    database: Database, statement: str, status: str, phrase: str
) -> None:
    change(database, statement)
    finding = check_schema(database)
    assert (finding.status, phrase in finding.message) == (status, True), finding
    change(database, finding.remedy.removeprefix("as the owner, "))
    assert check_schema(database).status == "ok"


def test_changes_that_no_statement_of_the_remedy_undoes_are_asked_for(database: Database) -> None:
    change(database, "DROP INDEX ix_clips_middle; CREATE TABLE by_hand (id integer)")
    assert check_schema(database).remedy.endswith(", and undo the other manual changes")
    change(database, "DROP TABLE saved_searches")
    assert check_schema(database).remedy == "restore a backup into an empty database"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_is_gone_is_told_as_that_and_not_as_a_missing_right(database: Database, name: str) -> None:
    with database.begin() as connection:
        signature = connection.execute(text("SELECT CAST(CAST(:name AS regproc) AS regprocedure)"), {"name": name})
        connection.execute(text(f"ALTER FUNCTION {signature.scalar_one()} RENAME TO gone"))
    finding = check_functions(database)
    assert finding.status == "fail"
    assert finding.message.startswith(f"the function {name}") and "is gone: what calls it fails" in finding.message
    assert check_rights(database).status != "fail"
    change(database, f"ALTER FUNCTION gone RENAME TO {name}")
    assert check_functions(database).status == "ok"


def test_every_function_of_the_schema_is_one_that_the_doctor_looks_for(database: Database) -> None:
    with database.begin() as connection:
        made = connection.execute(
            text("""
                SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = to_regnamespace(current_schema())
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
            """)
        ).scalars()
        assert set(made) == set(FUNCTIONS)
