"""`python -m bench.search.pgstac --url URL --pypgstac PATH`: box and time, limit 100, against pgstac, same items.

Needs Debian's `postgresql-15` and `postgresql-15-postgis-3`, and `pypgstac[psycopg]` in an environment of its own.
pgstac gets a PostgreSQL of its own on the same machine, with as much memory as Longtail has, and one
item per clip that has a place: id, times, box, and the attributes as properties. Both are asked in turns; nothing is
timed unless both find the same clips.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import text

from bench.machine import load
from bench.measure import ResultsDiffer
from bench.search.made import FIRST_NS, SPAN_NS
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.embedded import scratch_dir

BIN = Path("/usr/lib/postgresql/15/bin")
SETTINGS = ("shared_buffers=192MB", "jit=off", "listen_addresses=", "max_wal_size=4GB", "fsync=off")
_ITEMS = text("""
    SELECT json_build_object(
        'id', id, 'type', 'Feature', 'stac_version', '1.0.0', 'collection', 'clips', 'assets', json_build_object(),
        'links', json_build_array(), 'bbox', json_build_array(min_longitude, min_latitude, max_longitude, max_latitude),
        'geometry', json_build_object('type', 'Polygon', 'coordinates', json_build_array(json_build_array(
            json_build_array(min_longitude, min_latitude), json_build_array(max_longitude, min_latitude),
            json_build_array(max_longitude, max_latitude), json_build_array(min_longitude, max_latitude),
            json_build_array(min_longitude, min_latitude)))),
        'properties', json_build_object(
            'datetime', to_timestamp(start_ns / 1e9), 'start_datetime', to_timestamp(start_ns / 1e9),
            'end_datetime', to_timestamp(start_ns / 1e9), 'vehicle', vehicle_id) :: jsonb || attributes)::text
    FROM clips WHERE min_latitude IS NOT NULL ORDER BY start_ns
""")


@dataclass(frozen=True)
class Asked:
    """A box with sides of so many degrees, and a time of so many days."""

    west: float
    south: float
    side: float
    start_s: int
    days: int

    def times(self) -> tuple[str, str]:
        ends = (self.start_s, self.start_s + self.days * 86_400)
        return tuple(datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for end in ends)  # type: ignore[return-value]

    def own(self, database: Database) -> list[str]:
        """The ids that Longtail finds, the newest first."""
        first, last = self.times()
        box = f"BBOX({self.west}, {self.south}, {self.west + self.side}, {self.south + self.side})"
        source = f"S_INTERSECTS(geometry, {box}) AND start BETWEEN TIMESTAMP('{first}') AND TIMESTAMP('{last}')"
        with database.begin() as connection:
            return [
                clip.id for clip in search(connection, ClipQuery.parse(filter_source=source, sortby="-start")).clips
            ]

    def pgstac(self, connection: psycopg.Connection) -> list[str]:
        """The ids that pgstac finds."""
        box = [self.west, self.south, self.west + self.side, self.south + self.side]
        asked = {"collections": ["clips"], "bbox": box, "datetime": "/".join(self.times()), "limit": 100,
                 "sortby": [{"field": "datetime", "direction": "desc"}]}  # fmt: skip
        (found,) = connection.execute(
            "SELECT * FROM pgstac.search(%s::text::jsonb)", [json.dumps(asked)]
        ).fetchone() or ({},)
        return [item["id"] for item in found["features"]]


def main(argv: Sequence[str]) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.search.pgstac", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", required=True, help="a database that bench.search.run has filled")
    parser.add_argument("--pypgstac", type=Path, required=True, help="the program of that name")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args(argv)
    database = Database(options.url, pool_size=1)
    with _server() as dsn:
        items = _fill(database, dsn, options.pypgstac)
        print(f"{items} items; load {load()}")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SET search_path = pgstac, public")
            for side, days in ((0.1, 30), (2.0, 30), (0.1, 365)):
                _compare(database, connection, side, days, options.rounds)
    return 0


def _compare(database: Database, connection: psycopg.Connection, side: float, days: int, rounds: int) -> None:
    chance = random.Random(f"{side} {days}")
    with database.begin() as own:
        places = own.execute(
            text("SELECT min_longitude, min_latitude FROM clips WHERE min_latitude IS NOT NULL ORDER BY id LIMIT 500")
        ).all()
    ours: list[float] = []
    theirs: list[float] = []
    found = 0
    for _ in range(rounds):
        place = chance.choice(places)
        start_s = (FIRST_NS + chance.randrange(SPAN_NS - days * 86_400 * 10**9)) // 10**9
        asked = Asked(round(place[0] - side / 2, 4), round(place[1] - side / 2, 4), side, start_s, days)
        one, other = asked.own(database), asked.pgstac(connection)
        if sorted(one) != sorted(other):
            raise ResultsDiffer(f"{asked}: Longtail finds {len(one)} clips, pgstac {len(other)}")
        found += len(one)
        ours.append(_timed_ms(partial(asked.own, database)))
        theirs.append(_timed_ms(partial(asked.pgstac, connection)))
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    p95 = [sorted(times)[int(0.95 * len(times))] for times in (ours, theirs)]
    print(
        f"box of {side} degrees, {days} days, {found / rounds:.0f} found: Longtail {statistics.median(ours):.0f} ms"
        f" (p95 {p95[0]:.0f}), pgstac {statistics.median(theirs):.0f} ms (p95 {p95[1]:.0f}), ratio {ratio:.1f}"
    )


def _timed_ms(ask: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    ask()
    return (time.perf_counter() - started_s) * 1000


@contextmanager
def _server() -> Iterator[str]:
    """A PostgreSQL of Debian's with PostGIS, of the user `postgres`, as it refuses root."""
    folder = scratch_dir("longtail-pgstac-")
    user = "postgres" if os.getuid() == 0 else None
    try:
        if user:
            shutil.chown(folder, user)
            folder.chmod(0o755)
        data = folder / "data"
        _run([BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], user)
        options = " ".join(f"-c {setting}" for setting in SETTINGS)
        _run([BIN / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", f"-k {folder} {options}", "start"], user)
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            _run([BIN / "pg_ctl", "-D", data, "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: Sequence[object], user: str | None) -> None:
    subprocess.run([str(part) for part in command], check=True, user=user, cwd="/", stdout=subprocess.DEVNULL)


def _fill(database: Database, dsn: str, pypgstac: Path) -> int:
    """pgstac's schema with a collection, and an item for each clip; how many."""
    subprocess.run([pypgstac, "migrate", "--dsn", dsn], check=True, stdout=subprocess.DEVNULL)
    collection = {"id": "clips", "type": "Collection", "stac_version": "1.0.0", "description": "clips", "links": [],
                  "license": "other", "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
                                                 "temporal": {"interval": [[None, None]]}}}  # fmt: skip
    with psycopg.connect(dsn, autocommit=True) as connection, database.begin() as own:
        connection.execute("SET search_path = pgstac, public")
        connection.execute("SELECT create_collection(%s::text::jsonb)", [json.dumps(collection)])
        items = [row[0] for row in own.execute(_ITEMS)]
        staged = "COPY items_staging (content) FROM STDIN"
        with connection.transaction(), connection.cursor() as cursor, cursor.copy(staged) as copy:
            for item in items:
                copy.write_row([item])
        connection.execute("ANALYZE")
        return len(items)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
