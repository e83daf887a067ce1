"""How many clips a filter finds: exactly up to a bound, above it an estimate from a sample, with an interval.

A clip's id is a digest (`triggers.contracts.clip.clip_id`), so the clips in ranges of ids are a random sample, each
taken by the same chance whatever it is like: the number for which the filter holds is binomial, and nearly Poisson.
The estimate divides it by the share of all ids that the ranges are; the interval is Garwood's (`triggers.statistics`).
The index of ids finds the sample, so its cost does not grow with the catalog. There are many short ranges, so that a
filter on ids meets its share of them, and always the same, so that the same question has the same answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, Text, any_, column, func, literal, select, text, values

from storage.clips.cql2 import Filter
from storage.clips.plan import Caps, settings
from storage.clips.plan.settings import Way
from storage.clips.plan.statements import checked
from storage.clips.query import ClipQuery, Page
from storage.tables import clips
from triggers.statistics.poisson import poisson_interval

EXACT_UP_TO = 10_000
"""The largest number of clips that is counted one by one."""
SAMPLE = 20_000
"""Clips that an estimate looks at, about: with more than EXACT_UP_TO of a million found, 200 or more of them."""
CAPS = Caps(glanced=2 * EXACT_UP_TO, walked=4 * EXACT_UP_TO)
"""Of a search whose page is so long."""
_RANGES = 64
_DIGITS = 8
_IDS = 16**_DIGITS
_ROWS = text("SELECT reltuples FROM pg_class WHERE oid = 'clips'::regclass")
"""The planner's number of clips, from when the table was last analyzed; -1 when it never was."""


@dataclass(frozen=True, slots=True)
class ClipCount:
    """A number of clips. If it is not exact, low and high enclose the true one with 95 % confidence."""

    clips: int
    exact: bool
    low: int
    high: int


def exactly(clips_counted: int) -> ClipCount:
    """A number that was counted."""
    return ClipCount(clips_counted, True, clips_counted, clips_counted)


def count(connection: Connection, query: Filter | None) -> ClipCount:
    """How many clips a filter finds (None: all clips); up to EXACT_UP_TO they are a page of a search."""
    asked = ClipQuery(query, page=Page(EXACT_UP_TO))
    found = len(asked.positions(connection, CAPS))
    return exactly(found) if found <= EXACT_UP_TO else estimate(connection, asked)


def count_up_to(connection: Connection, where: ColumnElement[bool], at_most: int) -> int:
    """How many clips a condition on the table `clips` holds for, counted up to `at_most`."""
    bounded = select(clips.c.id).where(where).limit(at_most).subquery()
    return connection.execute(select(func.count()).select_from(bounded)).scalar_one()


def estimate(connection: Connection, query: ClipQuery) -> ClipCount:
    """How many of more than EXACT_UP_TO clips; of a catalog that is not much larger than a sample, exactly."""
    known: float = connection.execute(_ROWS).scalar_one()
    if known < 2 * SAMPLE:
        return exactly(connection.execute(select(func.count()).select_from(clips).where(query.where())).scalar_one())
    width = max(1, round(_IDS / _RANGES * SAMPLE / known))
    share = width * _RANGES / _IDS
    # The clips of the sample are visited, and no others: PostgreSQL takes conditions for rare that are not.
    settings.use(connection, Way.COUNT)
    found = connection.execute(_in_sample(checked([query.where(fenced=True)]), width)).scalar_one()
    settings.reset(connection)
    low, high = poisson_interval(found)
    return ClipCount(
        max(round(found / share), EXACT_UP_TO + 1),
        False,
        max(math.floor(low / share), EXACT_UP_TO + 1),  # so many were found
        max(math.ceil(high / share), EXACT_UP_TO + 1),
    )


def _in_sample(condition: ColumnElement[bool], width: int) -> Select[int]:
    """Counts the clips of the sample for which a condition holds: those in _RANGES ranges of ids, evenly spread."""
    starts = [number * (_IDS // _RANGES) for number in range(_RANGES)]
    ranges = values(column("first", Text), column("after", Text), name="ranges").data(
        [(literal(f"{start:0{_DIGITS}x}", Text), literal(f"{start + width:0{_DIGITS}x}", Text)) for start in starts]
    )
    sampled = clips.alias("sampled").c.id
    ids = select(sampled).where(sampled >= ranges.c.first, sampled < ranges.c.after).scalar_subquery()
    # As an array: the ids are found first, and only their clips are visited.
    of_sample = clips.c.id == any_(func.array(ids, type_=ARRAY(Text)))
    return select(func.count()).select_from(clips).where(of_sample, condition)
