"""PostgreSQL's configuration parameters, set until a transaction ends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import Connection

from storage.statements.driver import rows_of


def set_local(connection: Connection, values: Mapping[str, str]) -> None:
    """Set parameters, by their names, until the transaction ends."""
    rows_of(connection, _statement(tuple(sorted(values.items()))), {})


@lru_cache(256)
def _statement(values: tuple[tuple[str, str], ...]) -> str:
    # SET takes one parameter; set_config with `true` is SET LOCAL.
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values)
    return f"SELECT {calls}"
