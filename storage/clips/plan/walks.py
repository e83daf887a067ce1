"""The walks of a search: which index has its order, and how the filter narrows the range of it that is walked."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, not_

from storage.clips.cql2.tree import Between, Comparison, In
from storage.clips.order import Order, Segment
from storage.clips.plan.indexes import RECORDED, START, Index, index_of, statistic_index
from storage.clips.plan.members import days, spans
from storage.clips.plan.members.bounds import Bounds, bounds_of
from storage.clips.plan.paths import Access, Member, Path, Paths
from storage.clips.plan.statements import Walk
from storage.statements.forms import Condition
from storage.tables import clip_fires, clips

_ANY = Bounds()
STRAY = clips.c.recorded_ns != clips.c.start_ns
"""Clips of a wrong clock: their start says nothing about when they were recorded."""


@dataclass(frozen=True)
class Walks:
    """The walks of one search. `index` is the one of its order, None if none has it.

    `narrowed` are bounds of the order's key that hold of all clips of the filter but `STRAY` ones. `member` holds of
    every row of `path`, which has clips in the order of their recording, and so, except for stray ones, of their start.
    """

    order: Order
    index: Index | None
    narrowed: Bounds | None = None
    member: Member | None = None
    path: Path | None = None
    own: Bounds = _ANY
    """What the filter says of the order's key itself."""
    by_day: Bounds = _ANY
    """What the days say of it, see `plan/members/days.py`."""
    days_leave_strays: bool = False

    @classmethod
    def of(
        cls, order: Order, paths: Paths, accesses: Iterable[tuple[Member | None, Access]], indexed: Collection[str]
    ) -> Walks:
        index = _index_of_order(order, indexed)
        member, path = _in_time(accesses) if index in (RECORDED, START) else (None, None)
        own = Bounds() if index is None else paths.ranges.get(index, Bounds())
        if order.by.signal is not None:
            for one in paths.members:
                found = bounds_of(one.predicate) if isinstance(one.predicate, Comparison | Between | In) else None
                own = own & found[1] if found is not None and found[0] == order.by else own
        return cls(order, index, spans.by_recording(index, paths.ranges), member, path, own)

    @property
    def leaves_strays(self) -> bool:
        """Whether clips of a wrong clock may be missing in the walks, and must be looked for besides."""
        return self.narrowed is not None or self.days_leave_strays or (self.index == START and self.path is not None)

    def with_days(self, connection: Connection, ranges: dict[Index, Bounds]) -> Walks:
        """The same walks, narrowed by what filters by other times say of the days."""
        if self.index is None or not days.is_narrowed(self.index, ranges):
            return self
        by_day = days.narrowed(connection, self.index, ranges)
        return replace(self, by_day=by_day, days_leave_strays=days.leaves_strays(self.index, ranges))

    def with_all_clips(self) -> Walks:
        """Walks that leave out none, for a catalog in which clips of a wrong clock are many."""
        walks = replace(self, narrowed=None, days_leave_strays=False)
        walks = replace(walks, by_day=_ANY) if self.days_leave_strays else walks
        return replace(walks, member=None, path=None) if self.index == START else walks

    def walk(self, segment: Segment) -> Walk:
        """The walk over a segment of the order."""
        if self.index is None or (segment.lacks and not self.index.has_nulls):
            # No index has the clips without it; they are found among all clips, in the order of their ids.
            return Walk(self.order, segment, self.order.key, by_id=True)
        key, source, found, rest = self._source(self.index)
        if not segment.lacks:
            within = [(self.own, self.index.kind), (self.by_day, self.index.kind), (self.narrowed, "integer")]
            found += [bounds.condition(key, kind) for bounds, kind in within if bounds not in (None, _ANY)]
        leading = None if self.path is None else self.path.leading
        return Walk(self.order, segment, key, source, tuple(found), rest, leading)

    def _source(self, index: Index) -> tuple[ColumnElement[Any], Table, list[Condition], ColumnElement[bool] | None]:
        """The key, its table, what the index finds there, and what is left to check of its rows."""
        if self.path is None:
            return index.column, index.source, [] if index.has_nulls else [index.where], None
        source = self.path.source
        key: ColumnElement[Any] = clip_fires.c.recorded_ns if source is clip_fires else clips.c.recorded_ns
        rest = self.path.rest if index == RECORDED else and_(self.path.rest, not_(STRAY))
        return key, source, [self.path.condition], rest


def _index_of_order(order: Order, indexed: Collection[str]) -> Index | None:
    if order.by.signal is None:
        index = index_of(order.by)
        return index if index is not None and index.in_order else None
    return statistic_index(order.by) if order.by.signal in indexed else None


def _in_time(accesses: Iterable[tuple[Member | None, Access]]) -> tuple[Member | None, Path | None]:
    """The most selective path, as a rule, whose index has its clips in the order of their recording."""
    found = [(member, access[0]) for member, access in accesses if len(access) == 1 and access[0].by_time]
    return max(found, key=lambda pair: pair[1].by_time, default=(None, None))
