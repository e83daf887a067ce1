"""Which way a page is found: decided by counting what the indexes find, each count stopping at a cap.

1. An index finds few clips (at most `Caps.collected`): they are collected, checked and sorted.
2. Otherwise many clips match at least a part of the filter, so a page of them is probably near: a walk of at most
   `Caps.glanced` rows in the order asked for, by the index that has the most selective clips in this order.
3. It does not fill the page: what the indexes of clips find together is counted. Few: they are collected.
4. A longer walk, up to `Caps.walked` rows.
5. What is left are few clips among many, for which no index has few. What the indexes find is intersected; without any,
   the walk goes on to its end, which a time limit bounds. A filter that asks for a signal that is not `indexed` is
   refused before it runs, in a catalog of more than `Caps.walked` clips.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, select, true

from storage.clips.cql2.conditions import condition
from storage.clips.cql2.tree import Predicate
from storage.clips.order import Order, PagePosition
from storage.clips.plan import settings, spans, statements
from storage.clips.plan.bounds import Bounds
from storage.clips.plan.indexes import END, RECORDED, START
from storage.clips.plan.paths import Access, Condition, Member, Paths
from storage.clips.plan.settings import Way
from storage.clips.plan.walks import STRAY, Walks, strays
from storage.clips.properties import Property
from storage.tables import clips, indexed_signals
from triggers.errors import InvalidInput


@dataclass(frozen=True)
class Caps:
    """How many rows a search may visit before it tries another way."""

    collected: int = 10_000
    visited: int = 2_000
    """Of rows that are looked up in their table to be counted, before the first walk."""
    glanced: int = 1_000
    walked: int = 10_000


def find_page(
    connection: Connection,
    predicate: Predicate | None,
    order: Order,
    *,
    after: PagePosition | None,
    limit: int,
    caps: Caps | None = None,
) -> list[PagePosition]:
    """The sort keys and ids of the first `limit` clips after a position (None: of all).

    InvalidInput for a filter or an order that would have to look at all clips of a large catalog.
    """
    found = Search(connection, predicate, order, after, limit, caps or Caps()).page()
    settings.reset(connection)
    return found


@dataclass
class Search:
    """One search while it runs. `steps` are the ways that it went."""

    connection: Connection
    predicate: Predicate | None
    order: Order
    after: PagePosition | None
    limit: int
    caps: Caps = field(default_factory=Caps)
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        indexed = _indexed_signals(self.connection)
        self._paths = Paths.of(self.predicate, lambda signal: signal in indexed)
        settings.use(self.connection, Way.WALK)  # the first and last rows of indexes are asked for
        if self._paths.fired != Bounds() or {START, END} & set(self._paths.ranges):
            longest = spans.longest_ns(self.connection)
            self._paths.ranges = spans.related(self._paths.ranges, self._paths.fired, longest)
        recorded = spans.of_terms(self.connection, self._paths) & spans.of_paths(self.connection, self._paths)
        if recorded != Bounds():
            self._paths.ranges[RECORDED] = self._paths.ranges.get(RECORDED, Bounds()) & recorded
        self._accesses = list(self._paths.accesses())
        self._walks = Walks.of(self.order, self._paths, indexed)
        if self._walks.leaves_strays and not self._few_strays():
            self._walks = self._walks.with_all_clips()
        self._position = self.after
        self._found: list[PagePosition] = []

    def page(self) -> list[PagePosition]:
        """The page, by the ways that the module describes, in their order."""
        self._require_indexed()
        if (few := self._few()) is not None:
            return self._collect(*few)
        if self._walks.index is None:
            return self._intersect()
        if self._walk(self.caps.glanced):
            return self._found
        if (few := self._few_at_once()) is not None:
            return self._collect(*few)
        together = self._on_clips()
        if together and self._count_together(together) <= self.caps.collected:
            return self._collect_on_clips(together)
        if self._walk(self.caps.walked):
            return self._found
        if self._accesses:
            return self._intersect()
        self._walk(None)
        return self._found

    def _few(self) -> tuple[Member | None, Access] | None:
        """The access that finds the fewest clips, if these are few, and counting them can stop early."""
        in_steps = [pair for pair in self._accesses if all(path.in_steps for path in pair[1])]
        if not in_steps:
            return None
        settings.use(self.connection, Way.COUNT)
        caps = [self._cap(access) for _, access in in_steps]
        query = statements.count([access for _, access in in_steps], caps)
        counted = zip(self.connection.execute(query).one(), caps, in_steps, strict=True)
        few = [(count, pair) for count, cap, pair in counted if count <= cap]
        return min(few, key=lambda found: found[0])[1] if few else None

    def _cap(self, access: Access) -> int:
        visits = any(path.visits for path in access)
        return min(self.caps.visited, self.caps.collected) if visits else self.caps.collected

    def _few_at_once(self) -> tuple[Member | None, Access] | None:
        """The same of what takes longer to count: rows that are found all at once, or looked up in their table."""
        for member, access in self._accesses:
            at_once = any(path.source is not clips and not path.in_steps for path in access)
            if at_once or any(path.visits for path in access):
                settings.use(self.connection, Way.COLLECT if at_once else Way.COUNT)
                query = statements.count([access], [self.caps.collected])
                if self.connection.execute(query).scalar_one() <= self.caps.collected:
                    return member, access
        return None

    def _few_strays(self) -> bool:
        settings.use(self.connection, Way.COUNT)
        strays = statements.count_clips([STRAY], self.caps.collected)
        return int(self.connection.execute(strays).scalar_one()) <= self.caps.collected

    def _collect(self, member: Member | None, access: Access) -> list[PagePosition]:
        self.steps.append("collect")
        settings.use(self.connection, Way.COLLECT)
        exact = [member] if member is not None and all(path.exact for path in access) else []
        residual = self._residual(exact)
        if all(path.source is clips for path in access):
            conditions = [statements.either(access)]
            return self._run(statements.collect_clips(self.order, self.after, conditions, residual, self.limit))
        return self._run(statements.collect(self.order, self.after, [statements.ids_of(access)], residual, self.limit))

    def _walk(self, rows: int | None) -> bool:
        """Walk on for so many rows (None: to the end); whether the page is found, or nothing is left."""
        self.steps.append(f"walk {'to the end' if rows is None else rows}")
        settings.use(self.connection, Way.WALK)
        is_exact = self._walks.path is not None and self._walks.path.exact
        residual = self._residual([self._walks.member] if self._walks.member is not None and is_exact else [])
        for segment in self.order.segments(self._position):
            walk = self._walks.walk(segment)
            end = None if rows is None else walk.end(self.connection, rows)
            self._found += self._run(walk.statement(end, residual, self.limit - len(self._found)))
            if len(self._found) >= self.limit:
                break
            if end is not None:
                self._position = end
                return False
        self._found = self._with_strays(self._found)[: self.limit]
        return True

    def _with_strays(self, found: list[PagePosition]) -> list[PagePosition]:
        """What a walk found, with the clips of a wrong clock that are not where it went."""
        if not self._walks.leaves_strays:
            return found
        settings.use(self.connection, Way.COLLECT)
        ranges = {index: bounds for index, bounds in self._paths.ranges.items() if index in (START, RECORDED)}
        conditions = strays(ranges)
        residual = self._residual([])
        others = self._run(statements.collect_clips(self.order, self.after, conditions, residual, self.limit))
        return self.order.first_of([*found, *others])

    def _on_clips(self) -> list[Condition]:
        """What the index of terms answers together; with other conditions, all that these find would be read, too."""
        at_once = [access for access in self._of_clips() if not any(path.in_steps for path in access)]
        return [statements.either(access) for access in at_once]

    def _of_clips(self) -> list[Access]:
        return [access for _, access in self._accesses if all(path.source is clips for path in access)]

    def _count_together(self, conditions: list[Condition]) -> int:
        settings.use(self.connection, Way.COLLECT)
        return int(self.connection.execute(statements.count_clips(conditions, self.caps.collected)).scalar_one())

    def _collect_on_clips(self, conditions: list[Condition]) -> list[PagePosition]:
        self.steps.append("collect together")
        settings.use(self.connection, Way.COLLECT)
        residual = self._residual([])
        return self._run(statements.collect_clips(self.order, self.after, conditions, residual, self.limit))

    def _intersect(self) -> list[PagePosition]:
        self.steps.append("intersect")
        settings.use(self.connection, Way.INTERSECT)
        of_clips, others, exact = self._one_of_each()
        conditions, residual = [statements.either(access) for access in of_clips], self._residual(exact)
        if not others:
            return self._run(statements.collect_clips(self.order, self.after, conditions, residual, self.limit))
        sets = [statements.ids_of(access) for access in others]
        sets += [select(clips.c.id).where(*conditions)] if conditions else []
        return self._run(statements.collect(self.order, self.after, sets, residual, self.limit))

    def _one_of_each(self) -> tuple[list[Access], list[Access], list[Member]]:
        """One access of each member: those in the table of clips, the others, and the members that they are exactly."""
        on_clips = [pair for pair in self._accesses if all(path.source is clips for path in pair[1])]
        there = [member for member, _ in on_clips if member is not None]
        elsewhere = [pair for pair in self._accesses if pair not in on_clips and pair[0] not in there]
        both = [*on_clips, *elsewhere]
        exact = [member for member, access in both if member is not None and all(path.exact for path in access)]
        return [access for _, access in on_clips], [access for _, access in elsewhere], exact

    def _residual(self, found_by: Collection[Member]) -> Condition:
        """What is left to check of rows that are exactly those of these members."""
        if not found_by:
            return true() if self.predicate is None else condition(self.predicate, fenced=True)
        left = [condition(member.predicate, fenced=True) for member in self._paths.members if member not in found_by]
        return statements.all_of(left)

    def _run(self, query: Select[Any]) -> list[PagePosition]:
        return [PagePosition(row[0], row[1]) for row in self.connection.execute(query)]

    def _require_indexed(self) -> None:
        """InvalidInput when nothing but a signal that is not `indexed` says where to look, among too many clips."""
        sorted_by = [self.order.by] if self._walks.index is None else []
        if (self._accesses and not sorted_by) or not (unindexed := [*self._paths.unindexed, *sorted_by]):
            return
        if self._accesses and self._few() is not None:
            return
        settings.use(self.connection, Way.WALK)
        many = select(clips.c.id).order_by(clips.c.id).offset(self.caps.walked).limit(1)
        if self.connection.execute(many).one_or_none() is not None:
            raise _not_indexed(unindexed[0])


def _indexed_signals(connection: Connection) -> set[str]:
    """The signals of which the indexes have all clips."""
    return set(connection.execute(select(indexed_signals.c.signal).where(indexed_signals.c.complete)).scalars())


def _not_indexed(asked: Property) -> InvalidInput:
    return InvalidInput(
        f"`{asked.name}` is not declared `indexed`, and there are too many clips to look through them all",
        remedy="add a time, a vehicle or a trigger that few clips have; or declare the signal `indexed: true` in the "
        "signal catalog of a campaign",
    )
