"""The statements that the driver of the database is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from sqlalchemy import Connection


@contextmanager
def noted(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent meanwhile by the driver's connection, whichever transaction they are in.

    Each is its text and its parameters.
    """
    sent: list[tuple[str, Any]] = []

    class Noting(psycopg.Cursor[Any]):
        """A cursor that notes what it executes."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
            sent.append((query, params))
            return super().execute(query, params, **options)

    driver: Any = connection.connection.driver_connection
    own, driver.cursor_factory = driver.cursor_factory, Noting
    try:
        yield sent
    finally:
        driver.cursor_factory = own
