"""`python -m bench.usage.run`: what usage adds to storing a clip, and how long asking for 90 days takes, as Markdown.

Clips are stored by the ingest path's own function, in rounds that count usage and rounds that do not, one after the
other, in a database with all indexes. CPU is that of this process and of its connection's backend. On a busy machine
rounds differ by more than usage adds, so the CPU of counting is also measured by itself, within the same transactions.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from sqlalchemy import Connection, func, select, text

from bench.machine import load
from bench.search.ingest import sent_uploads
from bench.search.timed import on_cpu_ns
from bench.usage.sums import DAYS, REGIONS, fill
from storage import usage
from storage.clips import writer
from storage.clips.batch import store_clips
from storage.clips.writer import PendingUpload
from storage.database import Database
from storage.embedded import EmbeddedPostgres, scratch_dir
from storage.migrate import migrate
from storage.usage import Span, UsageQuery
from triggers.contracts.api.usage.answers import UsageKey

TOGETHER = 64
"""As many as an ingest worker stores in one transaction."""
CAMPAIGNS = 221

Round = Callable[[Database, list[PendingUpload]], tuple[float, float]]


def main(argv: Sequence[str]) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.usage.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--networks", default="wifi", help="networks of each campaign and region, with commas")
    options = parser.parse_args(argv)
    print(f"load {load()}")
    with EmbeddedPostgres(scratch_dir("longtail-bench-") / "postgres") as server:
        database = Database(server.url, pool_size=2)
        migrate(database)
        for name, stored in (("64 together", _together), ("one at a time", _alone)):
            _show_added(database, name, stored, rounds=options.rounds)
        _show_asked(database, options.networks.split(","), rounds=options.rounds)
    print(f"load {load()}")
    return 0


def _show_added(database: Database, name: str, stored: Round, *, rounds: int) -> None:
    """Store as many clips with and without usage; what it adds is the median of the rounds' own ratios."""
    pending = _batches(database)
    stored(database, next(pending))
    wall, cpu, rates = [], [], []
    for number in range(rounds):
        first = _round(database, next(pending), stored, counts=number % 2 == 0)
        second = _round(database, next(pending), stored, counts=number % 2 == 1)
        counted, uncounted = (first, second) if number % 2 == 0 else (second, first)
        wall.append(counted[0] / uncounted[0] - 1)
        cpu.append(counted[1] / uncounted[1] - 1)
        rates.append(TOGETHER / counted[0])
    added = f"{statistics.median(wall):+.1%} of wall clock ({min(wall):+.1%}..{max(wall):+.1%})"
    print(f"storing {name}: {statistics.median(rates):.0f} clips per second; usage adds {added}, and", end=" ")
    print(f"{statistics.median(cpu):+.1%} of CPU ({min(cpu):+.1%}..{max(cpu):+.1%}),", end=" ")
    shares = [_counting_share(database, next(pending), stored) for _ in range(rounds)]
    print(f"timed by itself {statistics.median(shares):+.1%} ({min(shares):+.1%}..{max(shares):+.1%})")


def _batches(database: Database) -> Iterator[list[PendingUpload]]:
    while True:
        with database.begin() as connection:
            pending = sent_uploads(connection)
        for first in range(0, len(pending), TOGETHER):
            yield pending[first : first + TOGETHER]


def _round(database: Database, batch: list[PendingUpload], stored: Round, *, counts: bool) -> tuple[float, float]:
    if counts:
        return stored(database, batch)
    with patch.object(usage, "add_stored", lambda *_: None):
        return stored(database, batch)


def _counting_share(database: Database, batch: list[PendingUpload], stored: Round) -> float:
    """The CPU of counting usage as a share of that of all else that stores these clips."""
    counting_s = 0.0
    add_stored = usage.add_stored

    def timed(connection: Connection, upload_ids: Sequence[str]) -> None:
        nonlocal counting_s
        pid = connection.execute(select(func.pg_backend_pid())).scalar_one()
        backend_ns, own_ns = on_cpu_ns(pid), time.process_time_ns()
        add_stored(connection, upload_ids)
        counting_s += (time.process_time_ns() - own_ns + on_cpu_ns(pid) - backend_ns) / 1e9

    with patch.object(usage, "add_stored", timed):
        _, cpu_s = stored(database, batch)
    return counting_s / (cpu_s - counting_s)


def _together(database: Database, batch: list[PendingUpload]) -> tuple[float, float]:
    def store(connection: Connection) -> None:
        store_clips(connection, batch, extractor_version=1)

    return _timed(database, [store])


def _alone(database: Database, batch: list[PendingUpload]) -> tuple[float, float]:
    def storing(upload: PendingUpload) -> Callable[[Connection], object]:
        return lambda connection: writer.store_clip(connection, upload, extractor_version=1)

    return _timed(database, [storing(upload) for upload in batch])


def _timed(database: Database, transactions: Sequence[Callable[[Connection], object]]) -> tuple[float, float]:
    """Seconds of wall clock, and of CPU of this process and its backend."""
    started_s, cpu_ns = time.perf_counter(), time.process_time_ns()
    backend_ns = 0
    for transaction in transactions:
        with database.begin() as connection:
            pid = connection.execute(select(func.pg_backend_pid())).scalar_one()
            before_ns = on_cpu_ns(pid)
            transaction(connection)
            backend_ns += on_cpu_ns(pid) - before_ns
    return time.perf_counter() - started_s, (time.process_time_ns() - cpu_ns + backend_ns) / 1e9


def _show_asked(database: Database, networks: list[str], *, rounds: int) -> None:
    with database.begin() as connection:
        hours, days = fill(connection, [f"campaign_{number}" for number in range(1, CAMPAIGNS + 1)], networks)
    with database.begin() as connection:
        connection.execute(text("ANALYZE usage_hours, usage_days, usage_series"))
    print(f"{hours} sums by hour and {days} by day, {DAYS} days, {CAMPAIGNS} campaigns in {REGIONS} regions")
    asked: tuple[tuple[tuple[UsageKey, ...], timedelta], ...] = (
        ((), timedelta(days=DAYS)),
        (("campaign",), timedelta(days=DAYS)),
        (("campaign", "region"), timedelta(days=DAYS)),
        (("day",), timedelta(days=DAYS)),
        (("campaign", "region", "day"), timedelta(days=7)),
        (("hour",), timedelta(days=7)),
    )
    for by, span in asked:
        times = sorted(_ask_s(database, by, span) * 1000 for _ in range(rounds))
        shown = ", ".join(by) or "one sum"
        print(f"| {shown} | {span.days} d | {times[len(times) // 2]:.0f} ms ({times[0]:.0f}..{times[-1]:.0f}) |")


def _ask_s(database: Database, by: Sequence[UsageKey], span: timedelta) -> float:
    now = datetime.now(UTC)
    query = UsageQuery(by, Span.over(now - span, now, by_hour="hour" in by, now=now), limit=1000)
    started_s = time.perf_counter()
    with database.begin() as connection:
        usage.ask(connection, query)
    return time.perf_counter() - started_s


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
