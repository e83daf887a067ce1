"""`python -m bench.likeness.run [--clips N] [--only events,pairs,index] [--url URL]`: how good likeness is, how fast.

Events: of a clip's 10 nearest, how many show the same event, against plain statistics. Pairs: which distance tells near
duplicates. Index: recall at 10 and time against exact distances, over N clips whose vectors are mixtures of those of
generated drives, with and without a filter; the clips are those of bench.search.made. With `--url` they are made in, or
found in, an existing database. CPU is that of this process and of its connection's backend (see bench.search.run).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from bench.likeness.catalog import EMBEDDING, filled
from bench.likeness.events import Vectors, generated, plain_statistics, precision_at, vectors
from bench.likeness.pairs import distances
from bench.machine import load
from bench.search.timed import timed
from storage.clips.cql2 import Filter, parse_filter
from storage.database import Database
from storage.likeness.nearest import LikeClips, Question, nearest
from storage.tables import clips
from tests.support.servers import postgres

SEEDS = (101, 202)
"""Neither that of the reference set, nor 7, with which weights and threshold were chosen."""
DRIVES = 24
THRESHOLDS = (0.02, 0.03, 0.04, 0.05, 0.08, 0.1)
FILTERS = {
    "no filter": None,
    "a trigger": "trigger = 't0'",
    "a trigger of old clips": "trigger = 'old'",
    "an attribute of many": "vehicle.region = 'EU'",
    "of fewer": "vehicle.model = 'm9'",
    "of none": "vehicle.model = 'nobody'",
    "a tag": "tag = 'rain'",
    "a statistic of many": "ego.speed.max > 15",
    "of few": "ego.speed.max > 44.9",
    "a vehicle": "vehicle = 'car-7'",
    "a time": "start > TIMESTAMP('2026-10-01T00:00:00Z')",
    "a time and a trigger": "start > TIMESTAMP('2026-10-01T00:00:00Z') AND trigger = 't0'",
    "a day and an attribute": "start BETWEEN DATE('2026-10-01') AND DATE('2026-10-02') AND vehicle.region = 'EU'",
    "a box": "S_INTERSECTS(box, BBOX(-10, 35, 10, 45))",
    "a rare trigger": "trigger = 'rare'",
    "no duplicate": "duplicate_of IS NULL",
}
QUESTIONS = 100
WARM_UP = 20
"""Questions that are asked first, and not timed."""
LIMIT = 10
Mask = NDArray[np.bool_]
Ids = NDArray[np.str_]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--only", default="events,pairs,index")
    parser.add_argument("--url", help="a database that is kept; filled if it is empty")
    given = parser.parse_args(arguments)
    console = Console()
    parts: dict[str, Callable[[], Table]] = {
        "events": events,
        "pairs": pairs,
        "index": lambda: index(given.clips, given.url),
    }
    for name in given.only.split(","):
        console.print(parts[name]())


def events() -> Table:
    """Precision at 10 of the same event."""
    table = Table("", "brake", "cut_in", "stop", "quiet", "all", title="precision at 10 of the same event")
    for seed in SEEDS:
        known, channels = generated(seed, DRIVES)
        for name, found in (("signals-v1", vectors), ("plain statistics", plain_statistics)):
            precision = precision_at(10, found(known, channels), known)
            kinds = ("brake", "cut_in", "stop", "quiet", "all")
            table.add_row(f"{name}, seed {seed}", *(f"{precision[kind]:.2f}" for kind in kinds))
    return table


def pairs() -> Table:
    """Shares of pairs nearer than each threshold."""
    names = ("same sensors", "other sensors", "another drive")
    table = Table("distance below", *names, title="near duplicates")
    found = [distances(seed, DRIVES) for seed in SEEDS]
    for threshold in THRESHOLDS:
        shares = (np.mean([(part < threshold).mean() for part in parts]) for parts in zip(*found, strict=True))
        table.add_row(str(threshold), *(f"{share:.1%}" for share in shares))
    return table


def index(count: int, url: str | None) -> Table:
    """Recall at 10 and times, by filter."""
    names = ("filter", "clips", "recall at 10", "exact", "p50, p95 ms", "of CPU", "CPU of the backend")
    table = Table(*names, title=f"{count:,} clips, limit {LIMIT}; load {load()}")
    with nullcontext(url) if url else postgres.running_server() as found:
        database = Database(found, pool_size=1)
        rows = mixtures(count)
        clip_ids = np.array(filled(database, rows))
        for name, source in FILTERS.items():
            table.add_row(name, *_measured(database, rows, clip_ids, source))
        database.close()
    table.caption = f"load {load()} at the end"
    return table


def mixtures(count: int) -> Vectors:
    """Vectors between those of two clips of generated drives, with noise."""
    known = vectors(*generated(SEEDS[0], DRIVES))
    random = np.random.default_rng(3)
    share = random.uniform(0, 1, (count, 1))
    first, second = random.integers(len(known), size=(2, count))
    rows = share * known[first] + (1 - share) * known[second] + random.normal(0, 0.03, (count, known.shape[1]))
    of_1: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return of_1


def _measured(database: Database, rows: Vectors, clip_ids: Ids, source: str | None) -> tuple[str, ...]:
    only = None if source is None else parse_filter(source, "cql2-text")
    admitted = _admitted(database, clip_ids, only)
    asked = np.random.default_rng(4).permutation(np.linspace(0, len(rows) - 1, QUESTIONS + WARM_UP).astype(int))
    questions = [Question(EMBEDDING, (str(clip_ids[example]),), filter=only, limit=LIMIT) for example in asked]
    # What is expected comes afterwards: threads of numpy that still wait for work would count as CPU time.
    answers = [timed(database, partial(_nearest_to, database, question)) for question in questions][WARM_UP:]
    found, took = zip(*answers, strict=True)
    hits, possible = 0, 0
    for example, answer in zip(asked[WARM_UP:].tolist(), found, strict=True):
        expected = _nearest(rows, clip_ids, example, admitted)
        hits += len(expected & {each.clip.id for each in answer.clips})
        possible += len(expected)
    exact = sum(answer.is_exact for answer in found)
    p50, p95 = np.quantile(took, (0.5, 0.95), axis=0)
    shown = (f"{low:.1f}, {high:.1f}" for low, high in zip(p50, p95, strict=True))
    recall = f"{hits / possible:.3f}" if possible else "-"
    return f"{admitted.sum():,}", recall, f"{exact / QUESTIONS:.0%}", *shown


def _admitted(database: Database, clip_ids: Ids, only: Filter | None) -> Mask:
    """Which clips a filter admits, by looking at each of them."""
    if only is None:
        return np.ones(len(clip_ids), bool)
    with database.begin() as connection:
        found = connection.execute(select(clips.c.id).where(only.where())).scalars().all()
    return np.isin(clip_ids, np.array(found, clip_ids.dtype))


def _nearest(rows: Vectors, clip_ids: Ids, example: int, admitted: Mask) -> set[str]:
    """The clips nearest to an example, by the distance of each."""
    likeness = np.where(admitted, rows @ rows[example], -np.inf)
    likeness[example] = -np.inf
    first = np.argpartition(-likeness, LIMIT)[:LIMIT]
    return set(clip_ids[first[np.isfinite(likeness[first])]].tolist())


def _nearest_to(database: Database, question: Question) -> LikeClips:
    with database.snapshot() as connection:
        return nearest(connection, question)


if __name__ == "__main__":
    main()
