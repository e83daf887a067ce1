"""How many clips a filter finds: exactly where that is cheap, above it an estimate from a sample, with an interval.

Exactly: up to a bound; above it where the way to the first clips has seen them all, and where one index has just the
clips of the filter. What is left are many clips of many.

A clip's id is a digest (`triggers.contracts.clip.clip_id`), so the clips in ranges of ids are a random sample, each
taken by the same chance whatever it is like: the number for which the filter holds is binomial, and nearly Poisson.
The estimate divides it by the share of all ids that the ranges are; the interval is Garwood's (`triggers.statistics`).
The index of ids finds the sample, so its cost does not grow with the catalog. There are many short ranges, so that a
filter on ids meets its share of them, and always the same, so that the same question has the same answer.

A small sample says how large the other has to be for an interval of about a tenth to either side. The two have no clip
in common, so the interval holds what it promises, whatever the first one found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, Text, any_, column, func, literal, select, text, true

from storage.clips.cql2 import Filter
from storage.clips.plan import SOUGHT, Caps, Sample, Selection, find_newest, settings
from storage.clips.plan.id_ranges import block_of, spread
from storage.clips.plan.settings import Way
from storage.clips.plan.statements import checked
from storage.clips.query import ClipQuery, Page
from storage.tables import clips
from triggers.statistics.poisson import poisson_interval

EXACT_UP_TO = 10_000
"""The largest number of clips that is counted one by one, whatever the filter."""
INDEXED_UP_TO = 50_000
"""The largest number that is counted by an index alone."""
SAMPLE = 20_000
"""The most clips that an estimate looks at."""
PILOT = 500
"""Clips that tell, about, how many of them it has to look at."""
_RANGES = 64
_BLOCK = block_of(_RANGES)
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
    """How many clips a filter finds (None: all clips)."""
    caps = Caps(few=EXACT_UP_TO, collected=EXACT_UP_TO, glanced=2 * EXACT_UP_TO, walked=4 * EXACT_UP_TO)
    _, total = ClipQuery(query, page=Page(EXACT_UP_TO)).first_and_count(connection, caps)
    return _exactly_or_about(connection, query, total, None, more_than=EXACT_UP_TO)


def newest_and_count(connection: Connection, query: Filter | None, at_most: int) -> tuple[list[str], ClipCount]:
    """The ids of the newest clips of a filter (None: of all), at most so many, and how many it finds."""
    found = find_newest(connection, None if query is None else query.tree, at_most)
    return found.clip_ids, _exactly_or_about(
        connection, query, found.total, found.sample, more_than=len(found.clip_ids)
    )


def _exactly_or_about(
    connection: Connection, query: Filter | None, total: int | None, sample: Sample | None, *, more_than: int
) -> ClipCount:
    """How many clips there are: known, or else counted by one index, or else estimated, by `sample` if there is one."""
    if total is None and query is not None:
        total = Selection.of(connection, query.tree, Caps(collected=INDEXED_UP_TO, visited=0)).count_by_index()
        settings.reset(connection)
    if total is not None:
        return exactly(total)
    return _estimate(connection, ClipQuery(query), sample, more_than=more_than)


def count_up_to(connection: Connection, where: ColumnElement[bool], at_most: int) -> int:
    """How many clips a condition on the table `clips` holds for, counted up to `at_most`."""
    bounded = select(clips.c.id).where(where).limit(at_most).subquery()
    return connection.execute(select(func.count()).select_from(bounded)).scalar_one()


def _estimate(connection: Connection, query: ClipQuery, sample: Sample | None, *, more_than: int) -> ClipCount:
    """How many of more than so many clips, by a sample; in a catalog that is not much larger than one, exactly."""
    known: float = connection.execute(_ROWS).scalar_one()
    if known < 2 * SAMPLE:
        all_of_them = select(func.count()).select_from(clips).where(query.where())
        return exactly(int(connection.execute(all_of_them).scalar_one()))
    return _about(sample or _sample(connection, query, known), more_than)


def _sample(connection: Connection, query: ClipQuery, known: float) -> Sample:
    """A sample of about so many clips."""
    # The clips of the sample are visited, and no others: PostgreSQL takes conditions for rare that are not.
    settings.use(connection, Way.COUNT)
    condition = checked([query.where(fenced=True)])
    pilot = connection.execute(_in_sample(condition, _width(PILOT, known), first=_BLOCK // 2)).scalar_one()
    width = _width(min(SAMPLE, PILOT * SOUGHT / max(pilot, 1)), known)
    found = connection.execute(_in_sample(condition, width)).scalar_one()
    settings.reset(connection)
    return Sample(found, width / _BLOCK)


def _about(sample: Sample, more_than: int) -> ClipCount:
    """What a sample says of the number of all; more than so many were found."""
    low, high = (bound / sample.share for bound in poisson_interval(sample.met))
    about, low, high = round(sample.met / sample.share), math.floor(low), math.ceil(high)
    return ClipCount(max(about, more_than + 1), False, max(low, more_than + 1), max(high, more_than + 1))


def _width(sample: float, known: float) -> int:
    """How many ids a range of _BLOCK has to take for a sample of so many clips: half of it at most."""
    width: int = round(_BLOCK * sample / known)
    return max(1, width)


def _in_sample(condition: ColumnElement[bool], width: int, first: int = 0) -> Select[int]:
    """Counts the clips of a sample for which a condition holds: those in _RANGES ranges of ids, evenly spread."""
    # Two arrays, as SQLAlchemy would write a statement with VALUES again for each request.
    ends = zip(*spread(_RANGES, width, first), strict=True)
    arrays = func.unnest(*(literal(list(each), ARRAY(Text)) for each in ends))
    ranges = arrays.table_valued(column("first", Text), column("after", Text), name="ranges").render_derived()
    sampled = clips.alias("sampled").c.id
    # In order, which the index of ids alone has: PostgreSQL 18 may take another one and leap through all its vehicles.
    of_range = select(sampled).where(sampled >= ranges.c.first, sampled < ranges.c.after).order_by(sampled)
    rows = of_range.correlate(ranges).lateral("rows")
    ids = select(rows.c.id).select_from(ranges.join(rows, true())).scalar_subquery()
    # As an array: the ids are found first, and only their clips are visited.
    of_sample = clips.c.id == any_(func.array(ids, type_=ARRAY(Text)))
    return select(func.count()).select_from(clips).where(of_sample, condition)
