"""The statements that the driver of the database is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

    with _cursors_of(connection, Noting):
        yield sent


@contextmanager
def followed(connection: Connection, by: Callable[[], None]) -> Iterator[None]:
    """Whenever the driver's connection has executed a statement meanwhile, `by` is called."""

    class Followed(psycopg.Cursor[Any]):
        """A cursor that tells of what it has executed."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
            executed = super().execute(query, params, **options)
            by()
            return executed

    with _cursors_of(connection, Followed):
        yield


@contextmanager
def _cursors_of(connection: Connection, kind: type[psycopg.Cursor[Any]]) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    own, driver.cursor_factory = driver.cursor_factory, kind
    try:
        yield
    finally:
        driver.cursor_factory = own
