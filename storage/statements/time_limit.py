"""A time limit for SQL statements whose cost depends on what a client sends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from triggers.errors import Overloaded


@contextmanager
def time_limit(connection: Connection, seconds: float, *, what: str, remedy: str) -> Iterator[None]:
    """Cancel a statement of this transaction that takes longer than `seconds`; Overloaded, naming `what`.

    The transaction cannot continue after that. The limit applies until the transaction ends.
    """
    # SET takes no bound parameters; set_config with `true` is SET LOCAL.
    limit_ms = max(1, round(seconds * 1000))
    connection.exec_driver_sql("SELECT set_config('statement_timeout', %(limit)s, true)", {"limit": f"{limit_ms}ms"})
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.orig, QueryCanceled):
            raise
        raise Overloaded(
            f"{what} may take {seconds:g} s, and took longer", retry_after_s=math.ceil(seconds), remedy=remedy
        ) from error
