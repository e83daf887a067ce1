"""Questions answered: checked against a naive evaluation, then timed in turns."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, func, select, text

from bench.measure import ResultsDiffer
from bench.search.questions import Question
from storage.clips.facets import DEFAULT_BY, facets, parse_by
from storage.clips.query import ClipQuery
from storage.clips.search import FoundClips, search
from storage.database import Database
from storage.tables import clips
from triggers.errors import Overloaded

LIMIT = 100
Answer = TypeVar("Answer")


class Took(NamedTuple):
    """How long an answer took, how much CPU time, and how much of that was the backend's, in ms."""

    ms: float
    cpu_ms: float
    backend_ms: float


@dataclass(frozen=True)
class Timed:
    """Times and CPU times of one question, in ms, and how many clips its first page has."""

    question: Question
    found: int
    ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]

    def percentile(self, share: float, *, cpu: bool) -> float:
        """The time that this share of rounds did not exceed."""
        ordered = sorted(self.cpu_ms if cpu else self.ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def parsed(question: Question, token: str | None = None) -> ClipQuery:
    """The query of a question's page."""
    return ClipQuery.parse(filter_source=question.filter or None, sortby=question.sortby, limit=LIMIT, token=token)


def naive_page(connection: Connection, query: ClipQuery, limit: int | None = None) -> list[str]:
    """The page's ids by looking at every clip and sorting; `limit` is that of the query unless it is given."""
    key = query.order.key
    # The key as an expression of its own: no index has it.
    rows = select(clips.c.id, key.label("sort_key")).where(query.where()).cte("rows").prefix_with("MATERIALIZED")
    found = select(rows.c.id).order_by(*query.order.sorted(rows.c.sort_key, rows.c.id)).limit(limit or query.page.limit)
    return list(connection.execute(found).scalars())


def check(database: Database, questions: Iterable[Question]) -> dict[str, int]:
    """How many clips each question's page has; ResultsDiffer when a page is not what the naive evaluation finds."""
    counts = {}
    for question in questions:
        with database.begin() as connection:
            found = [clip.id for clip in search(connection, parsed(question)).clips]
        with database.begin() as connection:
            connection.execute(text("SET LOCAL jit = off"))
            expected = naive_page(connection, parsed(question))
        if found != expected:
            raise ResultsDiffer(f"{question.name}: {len(found)} clips, and {len(expected)} by looking at all")
        counts[question.name] = len(found)
    return counts


def measure(database: Database, questions: Sequence[Question], rounds: int) -> list[Timed]:
    """Ask all questions in turns, in another order each round; one round before that is not timed."""
    ms: dict[Question, list[float]] = {question: [] for question in questions}
    cpu_ms: dict[Question, list[float]] = {question: [] for question in questions}
    found: dict[Question, int] = {}
    for number in range(rounds + 1):
        for question in random.Random(number).sample(questions, len(questions)):
            page, took = timed(database, partial(_page, database, parsed(question)))
            found[question] = len(page.clips)
            if number:
                ms[question].append(took.ms)
                cpu_ms[question].append(took.cpu_ms)
    return [Timed(one, found[one], tuple(ms[one]), tuple(cpu_ms[one])) for one in questions]


def deep(database: Database, question: Question, pages: int) -> tuple[float, float]:
    """Median CPU time of the first and of the last ten of so many pages, in ms."""
    times, token = [], None
    for _ in range(pages):
        page, took = timed(database, partial(_page, database, parsed(question, token)))
        times.append(took.cpu_ms)
        token = page.next
        if token is None:
            break
    return statistics.median(times[:10]), statistics.median(times[-10:])


def _page(database: Database, query: ClipQuery) -> FoundClips:
    try:
        with database.begin() as connection:
            return search(connection, query)
    except Overloaded:  # cancelled at its time limit, which is then its time
        return FoundClips([], None)


def facets_of(database: Database, question: Question, rounds: int) -> Timed:
    """Times of the facets that are asked for without saying which, of a question's clips."""
    query = parsed(question).filter

    def ask() -> int:
        with database.begin() as connection:
            return facets(connection, query, parse_by(DEFAULT_BY)).looked_at

    answers = [timed(database, ask) for _ in range(rounds + 1)]
    took = [each for _, each in answers[1:]]
    ms, cpu_ms = tuple(each.ms for each in took), tuple(each.cpu_ms for each in took)
    return Timed(question, answers[-1][0], ms, cpu_ms)


def timed(database: Database, ask: Callable[[], Answer]) -> tuple[Answer, Took]:
    """The answer, and what it took of this process and of the backend: that of the pool's only open connection."""
    with database.begin() as connection:
        pid = connection.execute(select(func.pg_backend_pid())).scalar_one()
    return timed_with(pid, ask)


def timed_with(pid: int, ask: Callable[[], Answer]) -> tuple[Answer, Took]:
    """The answer, and what it took of this process and of the backend `pid`."""
    before_ns, own_ns, began_s = on_cpu_ns(pid), time.process_time_ns(), time.perf_counter()
    answer = ask()
    wall_s, own_ns = time.perf_counter() - began_s, time.process_time_ns() - own_ns
    backend_ns = on_cpu_ns(pid) - before_ns
    return answer, Took(wall_s * 1e3, (own_ns + backend_ns) / 1e6, backend_ns / 1e6)


def on_cpu_ns(pid: int) -> int:
    """How long a process has run on a processor (Linux)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
