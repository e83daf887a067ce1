"""The function that reserves is the one that the rules in code make, whatever migration made it last."""

from __future__ import annotations

from sqlalchemy import text

from storage.database import Database
from storage.ledger.reserve_function import BODY


def test_the_function_of_the_migrations_is_the_one_that_follows_from_the_rules(database: Database) -> None:
    with database.begin() as connection:
        made = connection.execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'reserve_upload'")).scalar_one()
    assert made == BODY, "a rule has changed: write a migration that replaces the function by `reserve_function.CREATE`"


def test_a_reservation_reads_no_settings_which_may_be_large_and_stored_apart() -> None:
    assert "own_budgets" in BODY and "settings" not in BODY
