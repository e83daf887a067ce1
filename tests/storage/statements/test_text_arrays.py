"""Arrays of texts arrive as they were sent, whatever is in them; so do lists that are no plain lists of texts."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import DataError

from storage.database import Database
from storage.statements.driver import rows_of

ODD = ['a"b', "c\\d", "", "NULL", "null", "{x}", " é ", "a,b", "\n", "'", '\\"', "%s"]


@pytest.mark.integration
@pytest.mark.parametrize("sent", [ODD, [], [""], ["x"], [None, "a"], [["a", "b"], ['c"', "d"]]], ids=str)
def test_a_list_arrives_as_it_was_sent(database: Database, sent: list[Any]) -> None:
    with database.begin() as connection:
        assert rows_of(connection, "SELECT CAST(%(sent)s AS text[])", {"sent": sent}) == [(sent,)]


@pytest.mark.integration
def test_numbers_arrive_as_numbers(database: Database) -> None:
    with database.begin() as connection:
        assert rows_of(connection, "SELECT CAST(%(sent)s AS bigint[])", {"sent": [1, -(2**40)]}) == [([1, -(2**40)],)]


@pytest.mark.integration
def test_a_text_that_postgresql_cannot_hold_is_refused(database: Database) -> None:
    with database.begin() as connection, pytest.raises(DataError, match="NUL"):
        rows_of(connection, "SELECT CAST(%(sent)s AS text[])", {"sent": ["a\x00b"]})
