"""The database engine: one pool per process, synchronous transactions, errors that name address and setting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.jsonb import json_of
from storage.settings import Settings, shown_url
from storage.statements.text_arrays import TextArrayDumper
from storage.watched_connection import SILENCE_S, TCP_ARGUMENTS, WatchedConnection
from triggers.errors import LongtailError, Misconfigured, Overloaded, Unreachable

__all__ = ["Connection", "Database", "unreachable"]

MINIMUM_SERVER_VERSION = 150000
MINIMUM_VECTOR_VERSION = (0, 8)
_VECTOR_VERSION = text(
    "SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name = 'vector'"
)
# libpq gives no SQLSTATE for a refused connection, so its message has to do (it is in the server's language).
_REFUSALS = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied for database",
    "certificate",
    "server does not support SSL",
)

# Likewise: connections are used up, by whomever. The last is PgBouncer's.
_NO_CONNECTION_LEFT = (
    "too many clients already",
    "remaining connection slots are reserved",
    "too many connections for",
    "no more connections allowed",
)

# By the beginning of a SQLSTATE (PostgreSQL's appendix A): what the server cannot do now, and may do later.
_CANNOT_NOW = {
    "53100": ("is full", "free space on its disk; the work continues by itself then"),
    "53": ("lacks resources", "give its server more memory or connections"),
    "58": ("cannot read or write its files", "look at its server's log and disk"),
    "25006": ("is read-only", "name the primary server in LONGTAIL_DATABASE_URL, or end its recovery"),
}
_NO_RIGHTS = {"42501", "3F000"}  # insufficient_privilege; no schema in which tables may be created

SqlError = DBAPIError
"""Any error of a statement that `Database.begin` has no better name for."""

CONNECTION_WAIT_S = 30.0


class Database:
    """A pool of connections to the one PostgreSQL, handed out as transactions.

    The functions of `storage` take a `Connection`; the caller, at the boundary, opens the transaction, so that one
    step of the product is one commit.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        connection_wait_s: float = CONNECTION_WAIT_S,
        silence_s: float = SILENCE_S,
        statement_s: float | None = None,
    ) -> None:
        """`connection_wait_s` is how long `begin` waits for a connection while all are in use; `silence_s` how long a
        statement may run before the server is asked whether it lives (storage/watched_connection.py); `statement_s` how
        long it may run at all (None: as long as it needs)."""
        self.url = url
        self.pool_size = pool_size
        self._statement_s = statement_s
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=connection_wait_s,
            connect_args=TCP_ARGUMENTS,
            json_deserializer=json_of,
        )

        @event.listens_for(self.engine, "do_connect")
        def _connect(_dialect: object, _record: object, args: Any, arguments: Any) -> WatchedConnection:
            connection = WatchedConnection.opened(silence_s, *args, **arguments)
            connection.adapters.register_dumper(list, TextArrayDumper)
            if statement_s is not None:
                connection.execute(f"SET statement_timeout = {round(statement_s * 1000)}")
                connection.commit()
            return connection

        dialect = self.engine.dialect

        @event.listens_for(self.engine, "checkout")
        def _require_alive(connection: Any, _record: object, _pooled: object) -> None:
            # As `pool_pre_ping` does, which asks of each transaction once more what the last one has answered.
            if not connection.has_just_answered:
                try:
                    dialect.do_ping(connection)
                except psycopg.OperationalError as error:
                    raise InvalidatePoolError from error

    @classmethod
    def from_settings(cls, settings: Settings, *, statement_s: float | None = None) -> Database:
        """The database that the settings name."""
        return cls(
            settings.require_database_url(),
            pool_size=settings.database_pool_size,
            silence_s=settings.database_silence_s,
            statement_s=statement_s,
        )

    @contextmanager
    def begin(self, **options: Any) -> Iterator[Connection]:
        """One transaction: committed at the block's end, rolled back on any exception.

        Raises Misconfigured when the server refuses the connection or the rights to something, Unreachable (naming
        address and setting) when there is no connection, when it is lost on the way, or when the server cannot serve
        now (its disk is full), and Overloaded when every connection of the pool is in use.
        Whether a lost commit took effect is unknown, so writes must be idempotent. `options` are SQLAlchemy's.
        """
        try:
            connection = self.engine.connect()
        except OperationalError as error:
            raise connection_failed(self.url, error) from error
        except PoolTimeout as error:
            raise Overloaded(
                f"all {self.pool_size} database connections of this process are in use, and each request takes one",
                retry_after_s=5,
                remedy="try again; if this persists, raise LONGTAIL_DATABASE_POOL_SIZE",
            ) from error
        try:
            with connection, connection.execution_options(**options).begin():
                yield connection
        except DBAPIError as error:
            if error.connection_invalidated:
                raise unreachable(self.url, error) from error
            if refusal := _server_refusal(self.url, error):
                raise refusal from error
            if isinstance(error.orig, QueryCanceled):
                raise self._too_long() from error
            raise

    def _too_long(self) -> Overloaded:
        limit = "" if self._statement_s is None else f"; one may take {self._statement_s:g} s"
        return Overloaded(
            f"a statement of your request ran too long, and was ended{limit}", retry_after_s=5, remedy="ask for less"
        )

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that only reads, all of it as of one moment: nothing is seen half changed, or half erased."""
        # As options they are part of BEGIN, and not a statement of their own.
        with self.begin(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def check_server(self) -> str:
        """The server's version as text; Misconfigured when it is too old, lacks pgvector, or has not UTF-8."""
        with self.begin() as connection:
            number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
            version = str(connection.execute(text("SHOW server_version")).scalar_one())
            encoding = str(connection.execute(text("SHOW server_encoding")).scalar_one())
            vector = connection.execute(_VECTOR_VERSION).scalar_one_or_none()
        where = f"the database at {shown_url(self.url)}"
        if number < MINIMUM_SERVER_VERSION:
            raise Misconfigured(
                f"{where} is PostgreSQL {version}", remedy="use PostgreSQL 15 or newer (LONGTAIL_DATABASE_URL)"
            )
        if vector is None or _numbers(vector) < MINIMUM_VECTOR_VERSION:
            raise Misconfigured(
                f"{where} has {'no pgvector' if vector is None else f'pgvector {vector}'}",
                remedy="install pgvector 0.8 or newer on its server, or name another one (LONGTAIL_DATABASE_URL)",
            )
        if encoding != "UTF8":
            raise Misconfigured(
                f"{where} has the encoding {encoding}, which cannot hold every text",
                remedy="create the database with ENCODING 'UTF8' TEMPLATE template0",
            )
        return f"{version} with pgvector {vector}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def connection_failed(url: str, error: DBAPIError) -> LongtailError:
    """Why there is no connection: a server answered and refused it, or nothing answered."""
    reason = _reason(error)
    if any(words in reason for words in _NO_CONNECTION_LEFT):
        return Unreachable(
            f"the database at {shown_url(url)} has no connection left ({reason})",
            remedy="end what else holds its connections, or raise max_connections; the work continues by itself then",
        )
    if any(words in reason for words in _REFUSALS):
        return Misconfigured(
            f"the database at {shown_url(url)} refuses the connection ({reason})",
            remedy="fix user, password, database or TLS mode in LONGTAIL_DATABASE_URL",
        )
    return unreachable(url, error)


def _reason(error: DBAPIError) -> str:
    """The line of the driver's message that says why: libpq puts it last, after the addresses it tried."""
    lines = str(error.orig).strip().splitlines() if error.orig else []
    telling = (*_NO_CONNECTION_LEFT, *_REFUSALS)
    return next((line.strip() for line in lines if any(words in line for words in telling)), "") or (
        lines[0] if lines else "no answer"
    )


def _server_refusal(url: str, error: DBAPIError) -> LongtailError | None:
    """What the server cannot or may not do, by its SQLSTATE; None for every other error."""
    state, reason = getattr(error.orig, "sqlstate", None) or "", _reason(error)
    for prefix, (what, remedy) in _CANNOT_NOW.items():
        if state.startswith(prefix):
            return Unreachable(f"the database at {shown_url(url)} {what} ({reason})", remedy=remedy)
    if state in _NO_RIGHTS:
        return Misconfigured(
            f"the database at {shown_url(url)} refuses its user the right to something ({reason})",
            remedy="name the owner of database and schema in LONGTAIL_DATABASE_URL, and run `longtail migrate`, which "
            "also gives the roles of processes their rights",
        )
    return None


def unreachable(url: str, error: DBAPIError) -> Unreachable:
    """The one line that says which database does not answer, why, and which setting names it."""
    return Unreachable(
        f"the database at {shown_url(url)} does not answer ({_reason(error)})",
        remedy="check LONGTAIL_DATABASE_URL, or start one with `longtail up`",
    )
