"""`python -m bench.likeness.run [--clips N] [--only events,pairs,index]`: how good likeness is, and how fast.

Events: of a clip's 10 nearest, how many show the same event, against plain statistics. Pairs: which distance tells near
duplicates. Index: recall at 10 and time against exact distances, over N clips whose vectors are mixtures of those of
generated drives, with and without a filter.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.likeness.catalog import EMBEDDING, filled
from bench.likeness.events import Vectors, generated, plain_statistics, precision_at, vectors
from bench.likeness.pairs import distances
from storage.clips.cql2 import parse_filter
from storage.database import Database
from storage.likeness.nearest import Question, nearest
from tests.support.servers import postgres

SEEDS = (101, 202)
"""Neither that of the reference set, nor 7, with which weights and threshold were chosen."""
DRIVES = 24
THRESHOLDS = (0.02, 0.03, 0.04, 0.05, 0.08, 0.1)
FILTERS = {"no filter": None, "1 in 2": "vehicle = 'car-0'", "1 in 20": "size_bytes = 1", "1 in 1000": "size_bytes = 2"}
QUESTIONS = 100
Mask = NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--only", default="events,pairs,index")
    given = parser.parse_args(arguments)
    console = Console()
    parts: dict[str, Callable[[], Table]] = {"events": events, "pairs": pairs, "index": lambda: index(given.clips)}
    for name in given.only.split(","):
        console.print(parts[name]())


def events() -> Table:
    """Precision at 10 of the same event."""
    table = Table("", "brake", "cut_in", "stop", "quiet", "all", title="precision at 10 of the same event")
    for seed in SEEDS:
        clips, channels = generated(seed, DRIVES)
        for name, found in (("signals-v1", vectors), ("plain statistics", plain_statistics)):
            precision = precision_at(10, found(clips, channels), clips)
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


def index(count: int) -> Table:
    """Recall at 10 and times, by filter."""
    table = Table("filter", "recall at 10", "exact", "p50 ms", "p95 ms", title=f"{count:,} clips, limit 10")
    rows = mixtures(count)
    with postgres.running_server() as url:
        database = Database(url)
        began_s = time.monotonic()
        filled(database, rows)
        table.caption = f"filled and indexed in {time.monotonic() - began_s:.0f} s"
        admitted = _admitted(count)
        for name, source in FILTERS.items():
            table.add_row(name, *_measured(database, rows, source, admitted[name]))
        database.close()
    return table


def mixtures(count: int) -> Vectors:
    """Vectors between those of two clips of generated drives, with noise."""
    clips, channels = generated(SEEDS[0], DRIVES)
    known = vectors(clips, channels)
    random = np.random.default_rng(3)
    share = random.uniform(0, 1, (count, 1))
    first, second = random.integers(len(known), size=(2, count))
    rows = share * known[first] + (1 - share) * known[second] + random.normal(0, 0.03, (count, known.shape[1]))
    of_1: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return of_1


def _admitted(count: int) -> dict[str, Mask]:
    number = np.arange(1, count + 1)
    return {
        "no filter": np.ones(count, bool),
        "1 in 2": number % 2 == 0,
        "1 in 20": (number % 20 == 7) & (number % 1000 != 7),
        "1 in 1000": number % 1000 == 7,
    }


def _measured(database: Database, rows: Vectors, source: str | None, admitted: Mask) -> tuple[str, ...]:
    only = None if source is None else parse_filter(source, "cql2-text")
    times, hits, exact, possible = [], 0, 0, 0
    for example in np.linspace(0, len(rows) - 1, QUESTIONS).astype(int).tolist():
        question = Question(EMBEDDING, (f"c{example + 1}",), filter=only, limit=10)
        began_s = time.perf_counter()
        with database.snapshot() as connection:
            found = nearest(connection, question)
        times.append(time.perf_counter() - began_s)
        likeness = np.where(admitted, rows @ rows[example], -9)
        likeness[example] = -9
        expected = {f"c{place + 1}" for place in np.argsort(-likeness)[:10]}
        hits += len(expected & {each.clip.id for each in found.clips})
        possible += len(expected)
        exact += found.is_exact
    p50, p95 = np.quantile(times, (0.5, 0.95)) * 1000
    return f"{hits / possible:.3f}", f"{exact / QUESTIONS:.0%}", f"{p50:.1f}", f"{p95:.1f}"


if __name__ == "__main__":
    main()
