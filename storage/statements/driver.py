"""Statements in the driver's words, asked of the driver itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def rows_of(connection: Connection, text: str, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """All rows of the answer to a statement, as tuples, none of one that has no answer; errors as SQLAlchemy has them.

    It belongs to the connection's transaction. SQLAlchemy describes the columns of each answer anew, which takes it
    longer than PostgreSQL needs for a statement of a search.
    """
    pooled = connection.connection
    cursor = None
    try:
        cursor = pooled.cursor()
        cursor.execute(text, parameters)
        return cursor.fetchall() if cursor.description is not None else ()
    except psycopg.Error as error:
        is_lost = connection.dialect.is_disconnect(error, pooled.dbapi_connection, cursor)  # type: ignore[arg-type]
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text, parameters, error, psycopg.Error, connection_invalidated=is_lost, dialect=connection.dialect
        ) from error
    finally:
        if cursor is not None:
            cursor.close()
