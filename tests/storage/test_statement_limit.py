"""A statement of a request has its time; after it the server ends the statement, and the connection serves others."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from storage.database import Database
from triggers.errors import Overloaded


def test_a_statement_that_runs_too_long_is_ended_and_the_connection_goes_on(database: Database) -> None:
    impatient = Database(database.url, pool_size=1, statement_s=0.2)
    for _ in range(2):
        with pytest.raises(Overloaded, match="too long") as refused, impatient.begin() as connection:
            connection.execute(text("SELECT pg_sleep(60)"))
        assert refused.value.retry_after_s > 0
    with impatient.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    impatient.close()
