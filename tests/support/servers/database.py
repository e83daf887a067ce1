"""A migrated database for the tests: migrated once per worker as a template, copied, and emptied between tests.

To empty a database takes a tenth of the time of copying the template, because the connection that does it stays open:
a new one would read the catalog of all tables first. A database whose schema a test changed is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from storage.database import Database
from storage.migrate import migrate
from tests.support.servers import postgres

_SCHEMA = """
    SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
        SELECT concat('relation', c.oid, c.relname, c.relhastriggers, c.relpersistence, ' ', c.reltuples)
            FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat('column', a.attrelid, a.attname, a.atttypid, a.attnotnull, a.atthasdef, a.attisdropped)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat('comment', objoid, description) FROM pg_description
            WHERE classoid = 'pg_class'::regclass
        UNION ALL SELECT concat('constraint', oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT concat('trigger', oid) FROM pg_trigger
        UNION ALL SELECT concat('function', oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT concat('extension', oid) FROM pg_extension
        UNION ALL SELECT concat('setting', setconfig) FROM pg_db_role_setting
    ) AS parts (part)
"""
_SIZE = "SELECT pg_database_size(current_database())"
_LARGE_BYTES = 64 * 1024**2
"""Where a test wrote much, what it leaves would slow the next ones down."""
_SEGMENTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'log_records'::regclass"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_RESTART_SEQUENCES = "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@contextmanager
def migrated_template(server_url: str) -> Iterator[str]:
    """The name of a migrated database without connections."""
    with postgres.fresh_database(server_url) as url:
        database = Database(url, pool_size=1)
        migrate(database)
        database.close()
        yield str(make_url(url).database)


@contextmanager
def migrated_database(server_url: str, template: str) -> Iterator[Database]:
    """A copy of the template for the tests of a whole module."""
    with postgres.fresh_database(server_url, template=template) as url:
        database = Database(url)
        try:
            yield database
        finally:
            database.close()


class Databases:
    """Databases with the current schema and nothing in them, one at a time."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._copies: list[_Copy] = []

    @contextmanager
    def one(self) -> Iterator[Database]:
        """A database of one's own."""
        copy = self._copies.pop() if self._copies else _Copy(self._server_url, self._template)
        database = Database(copy.url)
        try:
            yield database
        finally:
            database.close()
            if copy.emptied():
                self._copies.append(copy)
            else:
                copy.drop()

    def close(self) -> None:
        """Drop what is kept."""
        while self._copies:
            self._copies.pop().drop()


class _Copy:
    """A copy of the template. `emptied` compares it with what it was at first."""

    def __init__(self, server_url: str, template: str) -> None:
        self._database = postgres.fresh_database(server_url, template=template)
        self.url = self._database.__enter__()
        self._kept = self._connected()
        self._schema = self._kept.execute(_SCHEMA).fetchone()
        self._segments = self._kept.execute(_SEGMENTS).fetchall()
        self._rows = _contents(self._kept)

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(postgres.libpq_url(self.url), autocommit=True)

    def emptied(self) -> bool:
        """Whether it has its first contents again; False when its schema was changed, or what the planner knows of its
        tables, or much was written."""
        connection = self._connection()
        connection.execute(_END_OTHERS)
        if connection.execute(_SIZE).fetchone() > (_LARGE_BYTES,):
            return False
        for (segment,) in set(connection.execute(_SEGMENTS).fetchall()).difference(self._segments):
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(segment)))
        if connection.execute(_SCHEMA).fetchone() != self._schema:
            return False
        self._restore(connection)
        return True

    def _connection(self) -> psycopg.Connection:
        """The one that is kept, or another where a test has ended it."""
        try:
            self._kept.execute("SELECT 1")
        except psycopg.OperationalError:
            self._kept = self._connected()
        return self._kept

    def _restore(self, connection: psycopg.Connection) -> None:
        rows = _contents(connection)
        changed = [table for table in rows.keys() | self._rows.keys() if rows.get(table) != self._rows.get(table)]
        with connection.transaction():
            connection.execute(_RESTART_SEQUENCES)  # numbers were taken by what was rolled back or deleted, too
            connection.execute("SET LOCAL session_replication_role = replica")  # without foreign keys, in any order
            for table in changed:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                if table in self._rows:
                    insert = sql.SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, {1})")
                    connection.execute(insert.format(sql.Identifier(table), sql.Literal(self._rows[table])))

    def drop(self) -> None:
        self._kept.close()
        self._database.__exit__(None, None, None)


def _contents(connection: psycopg.Connection) -> dict[str, str]:
    """By table that has rows, the first of them as JSON: all, where the template has any."""
    tables = [name for (name,) in connection.execute(_TABLES).fetchall() if not name.startswith("log_records_")]
    found = connection.execute(_first_rows(tuple(tables))).fetchall()
    return {name: content for name, content in found if content is not None}


@cache
def _first_rows(tables: tuple[str, ...]) -> bytes:
    """A statement for the first rows of these tables: a text of its own, so that the server keeps its plan."""
    first = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}, (SELECT json_agg(t)::text FROM (SELECT * FROM {} LIMIT 10) AS t)").format(
            sql.Literal(name), sql.Identifier(name)
        )
        for name in tables
    )
    return first.as_bytes(None)
