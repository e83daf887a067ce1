"""A time limit for SQL statements whose cost depends on what a client sends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from storage.statements.parameters import set_local
from triggers.errors import Overloaded

_NOTHING: Mapping[str, str] = {}


@contextmanager
def time_limit(
    connection: Connection, seconds: float, *, what: str, remedy: str, also: Mapping[str, str] = _NOTHING
) -> Iterator[None]:
    """Cancel a statement of this transaction that takes longer than `seconds`; Overloaded, naming `what`.

    The transaction cannot continue after that. The limit applies until the transaction ends. `also` are parameters of
    PostgreSQL that are set with it: set separately they would take another statement.
    """
    set_local(connection, {"statement_timeout": f"{max(1, round(seconds * 1000))}ms", **also})
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        raise Overloaded(
            f"{what} may take {seconds:g} s, and took longer", retry_after_s=math.ceil(seconds), remedy=remedy
        ) from error
