"""The newest clips of a filter for whoever counts some of many: fewer of them where each is far from the next.

A page has as many clips as it was asked for, however long that takes. Of many clips some are as good, if it is said how
many they are. So a walk of a bounded length is enough where it finds a share of those that were asked for. And where
few clips of many meet the filter, they are not all collected: a sample of them says since when about as many were
recorded as are looked for, and only those are visited. The index by time and those of the filter are combined for it.

The sample is of ids, which are digests: those in a range are a fair sample of whatever a filter finds that does not ask
for ids. It is of several ranges, evenly spread, as people may have given a tag by the first digits of ids; of one where
other tables are asked as well, whose indexes PostgreSQL would leave for several. A small one says how large the other
has to be; the two have no clip in common.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, or_, select

from storage.clips.cql2.tree import Predicate, properties
from storage.clips.order import Order, PagePosition
from storage.clips.plan import settings, statements
from storage.clips.plan.caps import Caps
from storage.clips.plan.id_ranges import block_of, spread
from storage.clips.plan.indexes import RECORDED
from storage.clips.plan.members.bounds import Bounds
from storage.clips.plan.paths import Access
from storage.clips.plan.settings import Way
from storage.clips.plan.statements import Residual
from storage.clips.plan.strategy import Search
from storage.statements.forms import Condition, Given, Statement, clause
from storage.tables import clips
from triggers.contracts.api.clips import DEFAULT_SORT

_ENOUGH = 4
"""A walk that has found one in so many of the clips asked for goes no further."""
_SCATTERED = 2
"""One in so many is looked for where each is in a page of its own: to read it takes about twice as long."""
_RANGES = 16
"""One for each first digit."""
_PILOT, _PILOT_OF_ALL = 1 / 256, 1 / 2048
"""The share of all ids that the first sample takes: of what indexes find, and of all clips."""
_FROM = 0.5
"""Where between the beginnings of two ranges of the first sample those of the other begin."""
SOUGHT = 500
"""How many clips of the filter a sample should find: the interval of their number then reaches 9 % to either side."""
_LARGEST, _VISITED = 1 / 16, 4000
"""The largest share that the other sample takes, and how many clips it may visit for it."""
_FIRST = 5
"""At least so many clips of the sample are to be newer than those looked for begin: fewer say little about when."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How many clips meet a filter in a random share of all."""

    met: int
    share: float


@dataclass(frozen=True, slots=True)
class FoundNewest:
    """The newest clips of a filter, and how many it finds in all, where that is known; `sample` may tell about it."""

    clip_ids: list[str]
    total: int | None
    sample: Sample | None


def find_newest(connection: Connection, predicate: Predicate | None, at_most: int) -> FoundNewest:
    """The newest clips of a filter (None: of all): all, if these are at most so many, and otherwise at most so many.

    InvalidInput as for `find_page`.
    """
    caps = Caps(few=at_most, collected=at_most, glanced=math.ceil(at_most / 4), walked=4 * at_most)
    search = NewestSearch(connection, predicate, Order.parse(DEFAULT_SORT), None, at_most + 1, caps, counts=True)
    found = search.page()
    settings.reset(connection)
    ids = [position.clip_id for position in found[:at_most]]
    has_all = search.sample is None and len(found) <= at_most
    return FoundNewest(ids, len(found) if has_all else search.total, search.sample)


@dataclass
class NewestSearch(Search):
    """A search for the newest clips while it runs. A `sample` is why it found only some of them."""

    sample: Sample | None = None
    _walked: int = 0
    _may_stop: bool = True
    _seen: _Seen | None = None
    """What was sampled last: the filter is the same for every way, so what says that there are few says it for all."""

    def _is_near(self) -> bool:
        return len(self._found) * self.caps.walked >= self._enough() * self.caps.glanced

    def _enough(self) -> int:
        # The clips of a wrong clock would have to be found among those that were walked over.
        seeks_strays = self._walks.leaves_strays and not self._no_strays
        return self.limit if seeks_strays else math.ceil(self.limit / _ENOUGH)

    def _walk(self, rows: int) -> bool:
        if super()._walk(rows):
            return True
        self._walked += rows
        may_stop = self._may_stop and rows >= self.caps.walked and len(self._found) >= self._enough()
        if not may_stop or not self._goes_on():
            return False
        seen = self._seen or self._sampled(_Combined([], [], self._residual([])), _PILOT_OF_ALL)
        self._may_stop = seen.says_more_than(self.limit)
        self.sample = seen.sample if self._may_stop else None
        return self._may_stop

    def _goes_on(self) -> bool:
        """Whether the walk is so long that, at its rate, it would find twice what was asked for."""
        left = 2 * self.limit * self._walked // len(self._found) - self._walked
        segments = self.order.segments(self._position)
        return self._asks_fairly() and bool(self._settings.rows(Way.WALK, self._walks.walk(segments[0]).end(left)))

    def _walk_longer(self) -> bool:
        return self._is_near() and super()._walk_longer()

    def _collect_together(self, conditions: list[Condition]) -> list[PagePosition] | None:
        if not self._asks_fairly():
            return super()._collect_together(conditions)
        combined = _Combined(conditions, [], self._residual([]))
        seen = self._sampled(combined, _PILOT)
        if seen.says_more_than(self.limit):
            return self._collect_since(combined, seen)
        return self._collect_on_clips(conditions) if seen.visited <= self.caps.walked * seen.share else None

    def _intersect(self, many: Collection[Access] = ()) -> list[PagePosition]:
        if self._asks_fairly() and (self._seen is None or self._seen.says_more_than(self.limit)):
            combined = _Combined(*self._found_by_all(many))
            seen = self._sampled(combined, _PILOT)
            if seen.says_more_than(self.limit) and (found := self._collect_since(combined, seen)) is not None:
                return found
        return super()._intersect(many)

    def _asks_fairly(self) -> bool:
        """Whether clips in a range of ids are a fair sample: not where the filter asks for ids."""
        return self.predicate is None or all(asked.name != "id" for asked in properties(self.predicate))

    def _sampled(self, combined: _Combined, pilot: float) -> _Seen:
        """Clips of the filter in a share of all ids that is as large as a small one says, the `pilot`."""
        self.steps.append("sample")
        first = _Seen.of(self._settings.rows(combined.way, combined.in_share(0.0, pilot)), pilot)
        share = min(_LARGEST, pilot * SOUGHT / max(len(first.times), 1), pilot * _VISITED / max(first.visited, 1))
        self._seen = _Seen.of(self._settings.rows(combined.way, combined.in_share(_FROM, share)), share)
        return self._seen

    def _collect_since(self, combined: _Combined, seen: _Seen) -> list[PagePosition] | None:
        """The clips since a moment after which about as many were recorded as are looked for.

        None if the indexes find too many others since then, which the rest of the filter would drop one by one.
        """
        first = max(round(seen.share * self.limit / _SCATTERED), _FIRST)
        if seen.visited * first > len(seen.times) * seen.share * self.caps.walked:
            return None
        self.steps.append("collect since")
        self.sample = seen.sample
        recorded = self._paths.ranges.get(RECORDED, Bounds()) & Bounds(low=seen.times[first - 1])
        # Not `_run_all`, which would take those since then for all.
        return self._run(combined.way, combined.since(self.order, RECORDED.condition(recorded), self.limit))


@dataclass(frozen=True, slots=True)
class _Seen:
    """Clips in a random share of all: when those of the filter were recorded, the newest first, of all `visited`."""

    times: list[int]
    visited: int
    share: float

    @property
    def sample(self) -> Sample:
        return Sample(len(self.times), self.share)

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]], share: float) -> _Seen:
        times = sorted((recorded_ns for recorded_ns, meets in rows if meets), reverse=True)
        return cls(times, len(rows), share)

    def says_more_than(self, clips_: int) -> bool:
        """Whether there are more in all: of no more the share would have so many once in 10 million cases."""
        expected = clips_ * self.share
        return len(self.times) > expected + 6 * math.sqrt(expected) + 6


@dataclass(frozen=True, slots=True)
class _Combined:
    """What the indexes of clips find by all of `conditions`, or clips in all of `sets` of ids; and the `residual`."""

    conditions: list[Condition]
    sets: list[Any]
    residual: Residual

    @property
    def way(self) -> Way:
        return Way.INTERSECT if self.sets else Way.COLLECT

    def in_share(self, first: float, share: float) -> Statement:
        """Of those in a share of all ids: when each was recorded, and whether it meets the filter.

        The share is taken in equal parts, at `first` of the way from each beginning of a range to the next.
        """
        count = 1 if self.sets else _RANGES
        block = block_of(count)
        ranges = spread(count, round(share * block), first=round(first * block))
        given = tuple((Given(start, Text), Given(after, Text)) for start, after in ranges)
        return Statement(_in_share, tuple(self.conditions), tuple(self.sets), self.residual, given)

    def since(self, order: Order, recorded: Condition, limit: int) -> Statement:
        """The first clips of the filter that meet another condition as well, one that an index of clips answers."""
        if self.sets:
            # Not as one more set: PostgreSQL would take the intersection for as large as its smallest one.
            newer = select(clips.c.id).where(clause(recorded), *(clips.c.id.in_(each) for each in self.sets))
            return statements.intersect_sets(order, None, [newer], self.residual, limit)
        return statements.collect_clips(order, None, [*self.conditions, recorded], self.residual, limit)


def _in_share(
    conditions: Sequence[ColumnElement[bool]],
    sets: Sequence[Any],
    checks: Sequence[ColumnElement[bool]],
    ranges: Sequence[tuple[ColumnElement[str], ColumnElement[str]]],
) -> Select[Any]:
    def within(clip_id: ColumnElement[str]) -> ColumnElement[bool]:
        return or_(*(and_(clip_id >= first, clip_id < after) for first, after in ranges))

    found = select(clips.c.recorded_ns, statements.checked(checks).label("meets"))
    if not sets:
        return found.where(*conditions, within(clips.c.id))
    named = [each.subquery() for each in sets]
    query: Select[Any] = statements.in_all([select(each.c.id).where(within(each.c.id)) for each in named], found)
    return query
