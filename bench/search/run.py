"""`python -m bench.search.run --clips 1000000`: every class of search, checked and timed, as Markdown.

With `--url` the catalog is made in, or found in, an existing empty or filled database of Longtail; without it in an
embedded server that is removed afterwards. `--clips 10000000` has not been tried. Times are of `search` as the API
calls it, pages of 100 clips with their fires and labels. CPU is that of this process and of its connection's backend,
which a busy machine does not change: what a search takes when nothing else runs.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from bench.machine import load
from bench.search.ingest import ingest_rate
from bench.search.made import make, place_with
from bench.search.questions import FACETS, FILTERS, SPARSE, Question, pairs, singles, sorted_filters
from bench.search.timed import Timed, check, deep, facets_of, measure
from storage.database import Database
from storage.embedded import EmbeddedPostgres, scratch_dir
from storage.migrate import migrate


def main(argv: Sequence[str]) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.search.run", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--url", help="a database that is kept; filled if it is empty")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pairs", type=int, default=7, help="ask every n-th pair (0: none)")
    parser.add_argument("--orders", type=int, default=5, help="ask every n-th filter in another order (0: none)")
    parser.add_argument("--only", choices=["facets"], help="ask nothing else")
    parser.add_argument("--unchecked", action="store_true", help="leave out the naive evaluation")
    parser.add_argument("--json", type=Path, help="where all times go")
    options = parser.parse_args(argv)
    gc.freeze()  # as a server does, once all is imported (ingest/http/server/serve.py)
    if options.url:
        _run(options.url, options)
        return 0
    with EmbeddedPostgres(scratch_dir("longtail-bench-") / "postgres") as server:
        _run(server.url, options)
    return 0


def _run(url: str, options: argparse.Namespace) -> None:
    database = Database(url, pool_size=2)
    migrate(database)
    with database.begin() as connection:
        there_are = connection.execute(text("SELECT count(*) FROM clips")).scalar_one()
    if not there_are:
        print(make(database, options.clips))
    with database.begin() as connection:
        place = place_with(connection, 100)
    side = place["east"] - place["west"]
    print(f"load {load()}; the box of `place: few` has sides of {side:.4f} degrees")
    alone = list(singles(place))
    if options.only == "facets":
        _facets(database, alone, options.rounds)
        return
    together = list(pairs(place))[:: options.pairs] if options.pairs else []
    in_order = list(sorted_filters(place))[:: options.orders] if options.orders else []
    if not options.unchecked:
        counts = check(database, alone)
        print(f"{len(counts)} pages are what looking at all clips finds")
    groups = {"alone": alone, "two together": together, "in other orders": in_order}
    found: dict[str, list[Timed]] = {}
    for name, questions in groups.items():
        if questions:
            rounds = options.rounds if name == "alone" else max(3, options.rounds // 3)
            found[name] = measure(database, questions, rounds)
            _show(name, found[name])
    _facets(database, alone, max(3, options.rounds // 3))
    for sortby in ("-recorded", "-size_bytes", "-ego.speed.max"):
        first, last = deep(database, Question("all", "", sortby), 300)
        print(f"deep pages by {sortby}: first ten {first:.1f} ms of CPU, 290th to 300th {last:.1f}")
    for workers in (1, 2):
        wall, cpu = ingest_rate(database, workers)
        print(f"ingest by {workers}: {wall:.0f} clips per second, and {cpu:.0f} per second of CPU")
    print(f"load {load()}")
    if options.json:
        options.json.write_text(json.dumps(_document(found)))


def _facets(database: Database, questions: Sequence[Question], rounds: int) -> None:
    for question in (*questions, *SPARSE):
        if question.name in FACETS or question in SPARSE:
            timed = facets_of(database, question, rounds)
            print(f"facets of {question.name}: {_percentiles(timed)}, {timed.found} clips looked at")


def _show(name: str, timed: list[Timed]) -> None:
    print(f"\n{name}: {len(timed)} questions; p50 / p95 in ms of wall clock, and of CPU")
    if name == "alone":
        for about in ("all", *FILTERS):
            rows = [one for one in timed if one.question.name.partition(":")[0].partition(",")[0] == about]
            shown = "; ".join(f"{_match(one)} {_percentiles(one)}" for one in rows)
            print(f"| {about} | {shown} |")
    slowest = sorted(timed, key=lambda one: one.percentile(0.95, cpu=True), reverse=True)
    limit = sum(one.percentile(0.95, cpu=True) < 50 for one in timed)
    print(f"p95 of CPU below 50 ms: {limit} of {len(timed)}; the slowest:")
    for one in slowest[:25]:
        print(f"  {one.question.name} [{one.question.sortby}] {_percentiles(one)}, {one.found} clips")


def _match(one: Timed) -> str:
    return one.question.name.rpartition(": ")[2].removeprefix("all, ")


def _percentiles(one: Timed) -> str:
    wall, cpu = (tuple(one.percentile(share, cpu=of_cpu) for share in (0.5, 0.95)) for of_cpu in (False, True))
    return f"{wall[0]:.0f}/{wall[1]:.0f} ({cpu[0]:.0f}/{cpu[1]:.0f})"


def _document(found: dict[str, list[Timed]]) -> object:
    return {
        name: [
            {
                "name": one.question.name,
                "sortby": one.question.sortby,
                "found": one.found,
                "ms": one.ms,
                "cpu_ms": one.cpu_ms,
            }
            for one in timed
        ]
        for name, timed in found.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
