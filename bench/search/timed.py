"""Questions answered: checked against a naive evaluation, then timed in turns."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from bench.measure import ResultsDiffer
from bench.search.questions import Question
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.tables import clips

LIMIT = 100


@dataclass(frozen=True)
class Timed:
    """Times of one question, in ms, and how many clips its first page has."""

    question: Question
    found: int
    ms: tuple[float, ...]

    def percentile(self, share: float) -> float:
        ordered = sorted(self.ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def parsed(question: Question, token: str | None = None) -> ClipQuery:
    """The query of a question's page."""
    return ClipQuery.parse(filter_source=question.filter or None, sortby=question.sortby, limit=LIMIT, token=token)


def naive_page(connection: Connection, query: ClipQuery) -> list[str]:
    """The page's ids by looking at every clip and sorting."""
    key = query.order.by.expression
    # The key as an expression of its own: no index has it.
    rows = select(clips.c.id, key.label("sort_key")).where(query.where()).cte("rows").prefix_with("MATERIALIZED")
    found = select(rows.c.id).order_by(*query.order.sorted(rows.c.sort_key, rows.c.id)).limit(query.page.limit)
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
    found: dict[Question, int] = {}
    for number in range(rounds + 1):
        for question in random.Random(number).sample(questions, len(questions)):
            query = parsed(question)
            started_s = time.perf_counter()
            with database.begin() as connection:
                found[question] = len(search(connection, query).clips)
            if number:
                ms[question].append((time.perf_counter() - started_s) * 1000)
    return [Timed(question, found[question], tuple(times)) for question, times in ms.items()]


def deep(database: Database, question: Question, pages: int) -> tuple[float, float]:
    """Median time of the first and of the last ten of so many pages, in ms."""
    times, token = [], None
    for _ in range(pages):
        started_s = time.perf_counter()
        with database.begin() as connection:
            page = search(connection, parsed(question, token))
        times.append((time.perf_counter() - started_s) * 1000)
        token = page.next
        if token is None:
            break
    return statistics.median(times[:10]), statistics.median(times[-10:])
