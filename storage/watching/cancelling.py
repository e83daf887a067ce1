"""The cancelling of a statement that runs in another thread, so that the end of a process need not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import cast

import psycopg
from sqlalchemy import Connection

CANCEL_S = 1.0
"""How long the server may take to accept it."""


def canceller(connection: Connection) -> Callable[[], None]:
    """A function for other threads, which cancels the statement that runs on this connection, if one does.

    It fails there as one that ran into its time limit. A server that does not answer is left alone.
    """
    driver = cast("psycopg.Connection[object]", connection.connection.driver_connection)

    def cancel() -> None:
        with suppress(psycopg.Error):
            driver.cancel_safe(timeout=CANCEL_S)

    return cancel
