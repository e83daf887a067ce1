"""pgstac, the peer of the benchmark of searches: filled with STAC items, and asked by its own function `search`.

`pypgstac`, which is in the environment of `make setup-bench`, migrates and loads as a program of its own: imported, it
would change how psycopg reads JSON, ours included.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg import sql

from bench.search.debian_postgres import PeerMissing

ONE = "clips"
"""The collection of all items, in the layouts that have one."""


class Layout(StrEnum):
    """How items are divided into collections, each of which is a partition, and these further by time."""

    CAMPAIGNS = "campaigns"
    """A collection per campaign, as our API shows them."""
    ONE = "one"
    ONE_BY_YEAR = "one-by-year"
    ONE_BY_MONTH = "one-by-month"

    @property
    def truncated(self) -> str | None:
        """The name of pgstac for the time by which it divides collections."""
        return {Layout.ONE_BY_YEAR: "year", Layout.ONE_BY_MONTH: "month"}.get(self)


class Pgstac:
    """pgstac in the database at `dsn`, by one connection."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection | None = None

    def __enter__(self) -> Self:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET search_path = pgstac, public").format(
                    sql.Identifier(connection.info.dbname)
                )
            )
        self._pypgstac("migrate")
        self._connection = psycopg.connect(self._dsn, autocommit=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    @property
    def connection(self) -> psycopg.Connection:
        """The connection that searches use."""
        if self._connection is None:
            raise RuntimeError("pgstac is asked outside of its `with` block")
        return self._connection

    @property
    def pid(self) -> int:
        """The process of PostgreSQL that answers searches."""
        return self.connection.info.backend_pid

    def versions(self) -> dict[str, str]:
        """Of pypgstac, and of PostGIS and the server."""
        postgis, server = self._row("SELECT postgis_lib_version(), current_setting('server_version')")
        return {"pypgstac": metadata.version("pypgstac"), "PostGIS": postgis, "its PostgreSQL": server}

    def fill(self, collections: Iterable[dict[str, Any]], items: Iterable[dict[str, Any]], layout: Layout) -> float:
        """Load all items into an empty catalog; how long that took, in seconds."""
        whole = layout is not Layout.CAMPAIGNS
        first, *others = collections
        with tempfile.TemporaryDirectory(prefix="longtail-bench-") as folder:
            lists = {
                "collections": [{**first, "id": ONE}] if whole else [first, *others],
                "items": ({**item, "collection": ONE} for item in items) if whole else items,
            }
            files = {name: _written(Path(folder) / f"{name}.ndjson", rows) for name, rows in lists.items()}
            self._pypgstac("load", "collections", files["collections"])
            self.connection.execute("UPDATE pgstac.collections SET partition_trunc = %s", (layout.truncated,))
            began_s = time.perf_counter()
            self._pypgstac("load", "items", files["items"])
        self.connection.execute("VACUUM (ANALYZE)")
        return time.perf_counter() - began_s

    def count(self) -> int:
        """How many items there are."""
        return int(self._row("SELECT count(*) FROM pgstac.items")[0])

    def search(self, body: dict[str, Any]) -> str:
        """The answer to the body of a STAC search, as JSON."""
        return str(self._row("SELECT pgstac.search(%s::jsonb)::text", json.dumps(body))[0])

    def _row(self, query: LiteralString, *values: str) -> tuple[Any, ...]:
        row = self.connection.execute(query, values).fetchone()
        if row is None:
            raise RuntimeError(f"no row of {query}")
        return row

    def _pypgstac(self, *arguments: str) -> None:
        program = Path(sys.executable).with_name("pypgstac")
        if not program.is_file():
            raise PeerMissing(f"there is no {program}: run `make setup-bench`")
        done = subprocess.run([program, *arguments, "--dsn", self._dsn], check=False, capture_output=True)
        if done.returncode:
            said = done.stderr.decode(errors="replace")[-2000:]
            raise PeerMissing(f"pypgstac {' '.join(arguments)} failed:\n{said}")


def _written(path: Path, rows: Iterable[dict[str, Any]]) -> str:
    with path.open("w") as file:
        file.writelines(f"{line}\n" for line in _lines(rows))
    return str(path)


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(row) for row in rows)
