"""Which way a page is found: decided by counting what the indexes find, each count stopping at a cap.

1. An index finds few clips (at most `Caps.few`): they are collected, checked and sorted.
2. Otherwise a page is often near: a walk of at most `Caps.glanced` rows in the order asked for, by the index that has
   the most selective clips in this order, and a longer one if that fills the page at the same rate. Not before 3 if the
   filter might be refused.
3. An index finds not many (at most `Caps.collected`): they are collected.
4. The walk of 2, if it was not tried. Then what the indexes of clips find together is counted. Few: they are collected.
5. A longer walk, up to `Caps.walked` rows. Then what takes longer to count than such a walk: rows of an index that are
   looked up in their table. Not many: they are collected.
6. What is left are few clips among many, for which no index has few. Walks and collections take turns, each with four
   times the rows of the turn before: what the indexes find is intersected as soon as one of them has not more than so
   many, and the walk goes on otherwise. So a search takes at most some times as long as the shorter of the two.

Unless an index finds not many clips (3), a filter that asks for a signal that is not `indexed`, or that nothing indexes
and few clips match, is refused in a catalog of more than `Caps.large` clips (`plan/refusals.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, true

from storage.clips.cql2.conditions import formed
from storage.clips.cql2.tree import (
    Predicate,
    SpatialRelation,
    TemporalRelation,
    TrackRelation,
    leaves,
    properties,
)
from storage.clips.order import Order, PagePosition
from storage.clips.plan import refusals, settings, statements
from storage.clips.plan.caps import Caps
from storage.clips.plan.indexes import END, RECORDED, START
from storage.clips.plan.members import spans
from storage.clips.plan.members.bounds import Bounds
from storage.clips.plan.paths import Access, Known, Member, Paths
from storage.clips.plan.settings import Way
from storage.clips.plan.statements import Columns, Residual
from storage.clips.plan.walks import STRAY, Walks
from storage.statements.forms import Condition, Fixed, Statement, clause
from storage.tables import clips

_LONGER = 4
"""How many times as many rows each turn visits."""
_KEPT = (SpatialRelation, TrackRelation, TemporalRelation)
_LONGEST = Fixed(spans.LONGEST_S)
TELLING = 50
"""Clips of a sample that tell how many there are, within a third."""


def find_page(
    connection: Connection,
    predicate: Predicate | None,
    order: Order,
    *,
    after: PagePosition | None,
    limit: int,
    caps: Caps | None = None,
    set_to: Mapping[str, str] | None = None,
    columns: Columns = (),
) -> list[PagePosition]:
    """The sort keys and ids of the first `limit` clips after a position (None: of all), with these columns of them.

    InvalidInput for a filter or an order that would have to look at all clips of a large catalog. What follows in the
    transaction is planned as for a search, rows by their ids for instance; `settings.reset` ends that. `set_to` are the
    parameters that are set already: `first_settings`, or none.
    """
    return Search(connection, predicate, order, after, limit, caps or Caps(), set_to=set_to, columns=columns).page()


def first_settings(predicate: Predicate | None, order: Order) -> Mapping[str, str]:
    """What a transaction is to be set to before a search in it.

    Plans are kept for searches by place and time alone: they are asked most, and all that they compare are columns.
    """
    of_place_and_time = predicate is None or all(isinstance(leaf, _KEPT) for leaf in leaves(predicate))
    return settings.values_of(Way.WALK, keeps_plans=of_place_and_time and order.by.signal is None)


def find_and_count(
    connection: Connection, predicate: Predicate | None, order: Order, *, limit: int, caps: Caps
) -> tuple[list[PagePosition], int | None]:
    """The first page, and how many clips there are in all where the way to it has seen them all (None: it has not)."""
    search = Search(connection, predicate, order, None, limit, caps, counts=True)
    found = search.page()
    settings.reset(connection)
    return found, len(found) if len(found) < limit else search.total


@dataclass
class Search:
    """One search while it runs. `steps` are the ways that it went; `counts`: clips that are collected are counted, as
    `total`, which is right for a first page."""

    connection: Connection
    predicate: Predicate | None
    order: Order
    after: PagePosition | None
    limit: int
    caps: Caps = field(default_factory=Caps)
    steps: list[str] = field(default_factory=list)
    counts: bool = False
    total: int | None = None
    set_to: Mapping[str, str] | None = None
    columns: Columns = ()

    def __post_init__(self) -> None:
        self._settings = settings.Settings(self.connection, self.set_to or {})
        if self.set_to is None:
            self._settings.use(Way.WALK)  # the first and last rows of indexes are asked for
        self._position = self.after
        self._found: list[PagePosition] = []
        self._no_strays = False
        self._plan()

    def _plan(self) -> None:
        """What there is to count, to walk and to collect. What the times of a filter say of one another narrows it."""
        asked = () if self.predicate is None else properties(self.predicate)
        known = Known.of(self.connection, [*asked, self.order.by])
        self._paths = Paths.of(self.predicate, known)
        self._assumed_ns = None
        if self._paths.fired != Bounds() or {START, END} & set(self._paths.ranges):
            self._assumed_ns = spans.assumed_longest_ns(self.connection)
            self._paths.ranges = spans.related(self._paths.ranges, self._paths.fired, self._assumed_ns)
        self._accesses = list(self._paths.accesses())
        recorded = spans.of_terms(self.connection, self._paths) & spans.of_accesses(self.connection, self._accesses)
        if recorded != Bounds():
            self._paths.ranges[RECORDED] = self._paths.ranges.get(RECORDED, Bounds()) & recorded
            self._accesses = list(self._paths.accesses())
        walks = Walks.of(self.order, self._paths, self._accesses, known.indexed)
        self._walks = walks.with_days(self.connection, self._paths.ranges)
        self._strays_unknown = self._walks.leaves_strays

    def page(self) -> list[PagePosition]:
        """The page, by the ways that the module describes, in their order."""
        if (few := self._few(min(self.caps.few, self.caps.collected))) is not None:
            return self._collect(*few, Way.WALK if self.caps.few < self.caps.collected else Way.COLLECT)
        if (glances := self._may_walk()) and self._glance():
            return self._found
        if self.caps.few < self.caps.collected and (few := self._few(self.caps.collected)) is not None:
            return self._collect(*few)
        self._require_searchable()
        if self._walks.index is None:
            return self._intersect()
        if not glances and self._glance():
            return self._found
        if (few := self._few_of(self._at_once())) is not None:
            return self._collect(*few)
        together = self._on_clips()
        if together and (found := self._collect_together(together)) is not None:
            return found
        if self._walk_longer():
            return self._found
        if (few := self._few_of(self._visited())) is not None:
            return self._collect(*few)
        return self._in_turns()

    def _may_walk(self) -> bool:
        """Whether a walk may be tried before more is counted: an index has the order, and the filter is not refused."""
        counts_more = self.caps.few < self.caps.collected
        return counts_more and self._walks.index is not None and not refusals.are_conceivable(self._paths)

    def _glance(self) -> bool:
        """Walk a little; and a little further if that fills the page. Whether it is found."""
        return self._walk(self.caps.glanced) or (self._is_near() and self._walk(self.caps.walked))

    def _is_near(self) -> bool:
        """Whether the longer walk fills the page if it finds as many clips per row as the first one did."""
        return len(self._found) * self.caps.walked >= self.limit * self.caps.glanced

    def _walk_longer(self) -> bool:
        return self._walk(self.caps.walked)

    def _in_turns(self) -> list[PagePosition]:
        """The page, by the shorter of the whole walk and a collection, whichever that is."""
        rows = self.caps.walked
        while True:
            rows *= _LONGER
            many = [access for _, access in self._accesses if not self._has_at_most(rows, access)]
            if len(many) < len(self._accesses):
                return self._intersect(many)
            if self._walk(rows):
                return self._found

    def _has_at_most(self, rows: int, access: Access) -> bool:
        way = Way.COUNT if all(path.in_steps for path in access) else Way.COLLECT
        return self._count(way, statements.count([access], [rows])) <= rows

    def _count(self, way: Way, query: Statement) -> int:
        return int(self._settings.rows(way, query)[0][0])

    def _few(self, at_most: int) -> tuple[Member | None, Access] | None:
        """The access that finds the fewest clips, if these are few, and counting them can stop early."""
        counted = self._counted_first()
        if not counted and self._assumed_ns is None:
            return None
        caps = [min(at_most, self._cap(access)) for _, access in counted]
        each = [(path, cap) for (_, access), cap in zip(counted, caps, strict=True) for path in access]
        query = statements.count([(path,) for path, _ in each], [cap for _, cap in each], *self._unknown())
        (row,) = self._settings.rows(Way.COUNT, query)
        if not self._learn(list(row[len(each) :])):
            self._plan()
            return self._few(at_most)
        rows, few = iter(row), []
        for (member, access), cap in zip(counted, caps, strict=True):
            of_paths = [(path, next(rows)) for path in access]
            count = sum(number for _, number in of_paths)
            if count <= cap:  # paths without a row are not looked at again
                few.append((count, member, tuple(path for path, number in of_paths if number) or access[:1]))
        return min(few, key=lambda one: one[0])[1:] if few else None

    def _unknown(self) -> list[Fixed | Statement]:
        """What is asked for beside the first counts, see `_learn`."""
        longest = [] if self._assumed_ns is None else [_LONGEST]
        return [*longest, self._strays()] if self._strays_unknown else [*longest]

    def _strays(self) -> Statement:
        return statements.count_clips([STRAY], self.caps.collected)

    def _learn(self, values: list[Any]) -> bool:
        """Heed what `_unknown` asked for; False if the longest clip is longer than was assumed, so that ranges are not
        right."""
        if self._assumed_ns is not None and spans.note_longest(self.connection, values.pop(0)) > self._assumed_ns:
            return False
        self._assumed_ns = None
        if self._strays_unknown:
            self._heed_strays(values.pop())
        return True

    def _counted_first(self) -> list[tuple[Member | None, Access]]:
        """The accesses that can be counted one after the other.

        Beside bounds of the start on both sides those of the end say nothing more.
        """
        start = self._paths.ranges.get(START, Bounds())
        redundant = None if start.low is None or start.high is None else END.column
        in_steps = [pair for pair in self._accesses if all(path.in_steps for path in pair[1])]
        return [pair for pair in in_steps if redundant is None or pair[1][0].leading is not redundant]

    def _cap(self, access: Access) -> int:
        visits = any(path.visits for path in access)
        return min(self.caps.visited, self.caps.collected) if visits else self.caps.collected

    def _few_of(self, accesses: Iterable[tuple[Member | None, Access]]) -> tuple[Member | None, Access] | None:
        """The first of these accesses that finds not many clips."""
        return next((pair for pair in accesses if self._has_at_most(self.caps.collected, pair[1])), None)

    def _at_once(self) -> list[tuple[Member | None, Access]]:
        """The accesses of other tables than clips whose rows are found all at once."""
        return [
            pair for pair in self._accesses if any(path.source is not clips and not path.in_steps for path in pair[1])
        ]

    def _visited(self) -> list[tuple[Member | None, Access]]:
        """Those whose rows are looked up in their table to be counted, which takes longer than a walk."""
        at_once = self._at_once()
        return [pair for pair in self._accesses if pair not in at_once and any(path.visits for path in pair[1])]

    def _heed_strays(self, count: int) -> None:
        """Leave the clips of a wrong clock to be looked for besides, unless there are too many of them."""
        self._strays_unknown, self._no_strays = False, not count
        if count > self.caps.collected:
            self._walks = self._walks.with_all_clips()

    def _collect(self, member: Member | None, access: Access, few: Way = Way.COLLECT) -> list[PagePosition]:
        """The clips of an access. Few are collected as rows are counted, by `Way.WALK`, where one index has them."""
        self.steps.append("collect")
        way = few if len(access) == 1 and access[0].in_steps else Way.COLLECT
        exact = [member] if member is not None and all(path.exact for path in access) else []
        residual = self._residual(exact)
        if all(path.source is clips for path in access):
            conditions = [statements.either(access)]
            query = statements.collect_clips(self.order, self.after, conditions, residual, self.limit)
        else:
            query = statements.collect(self.order, self.after, statements.ids_of(access), residual, self.limit)
        return self._run_all(way, query)

    def _walk(self, rows: int) -> bool:
        """Walk on for so many rows; whether the page is found, or nothing is left."""
        self.steps.append(f"walk {rows}")
        if self._strays_unknown:
            self._heed_strays(self._count(Way.COUNT, self._strays()))
        is_exact = self._walks.path is not None and self._walks.path.exact
        residual = self._residual([self._walks.member] if self._walks.member is not None and is_exact else [])
        for segment in self.order.segments(self._position):
            walk = self._walks.walk(segment)
            end = next((PagePosition(*row) for row in self._settings.rows(Way.WALK, walk.end(rows))), None)
            query = walk.statement(end, residual, self.limit - len(self._found))
            self._found += self._run(Way.WALK, query, is_walk=True)
            if len(self._found) >= self.limit:
                break
            if end is not None:
                self._position = end
                return False
        self._found = self._with_strays(self._found)[: self.limit]
        return True

    def _with_strays(self, found: list[PagePosition]) -> list[PagePosition]:
        """What a walk found, with the clips of a wrong clock that are not where it went."""
        if not self._walks.leaves_strays or self._no_strays:
            return found
        # All of them: beside another condition PostgreSQL may prefer its index, which has many clips.
        query = statements.collect_clips(self.order, self.after, [STRAY], self._residual([]), self.limit)
        others = self._run(Way.COLLECT, query)
        return self.order.first_of([*found, *others])

    def _on_clips(self) -> list[Condition]:
        """What the index of terms answers together; with other conditions, all that these find would be read, too."""
        at_once = [
            (member, access)
            for member, access in self._accesses
            if all(path.source is clips and not path.in_steps for path in access)
        ]
        if len(at_once) == 1 and _is_counted(at_once[0][0]):
            return []
        return [statements.either(access) for _, access in at_once]

    def _collect_together(self, conditions: list[Condition]) -> list[PagePosition] | None:
        """The page of what the indexes of clips find together, if that is few."""
        return self._collect_on_clips(conditions) if self._has_few_together(conditions) else None

    def _has_few_together(self, conditions: list[Condition]) -> bool:
        """Whether the indexes of clips find few; about, where a sample of so many can tell."""
        if (sampled := self.caps.collected // statements.SAMPLED) >= TELLING:
            query, cap = statements.count_sampled(conditions, sampled), sampled
        else:
            query, cap = statements.count_clips(conditions, self.caps.collected), self.caps.collected
        return self._count(Way.COLLECT, query) <= cap

    def _collect_on_clips(self, conditions: list[Condition]) -> list[PagePosition]:
        self.steps.append("collect together")
        residual = self._residual([])
        query = statements.collect_clips(self.order, self.after, conditions, residual, self.limit)
        return self._run_all(Way.COLLECT, query)

    def _intersect(self, many: Collection[Access] = ()) -> list[PagePosition]:
        """What all accesses find but `many`, which are too long to be worth it."""
        self.steps.append("intersect")
        conditions, sets, residual = self._found_by_all(many)
        if sets:
            query = statements.intersect_sets(self.order, self.after, sets, residual, self.limit)
        else:
            query = statements.collect_clips(self.order, self.after, conditions, residual, self.limit)
        return self._run_all(Way.INTERSECT, query)

    def _found_by_all(self, but: Collection[Access] = ()) -> tuple[list[Condition], list[Any], Residual]:
        """The clips of one access of each member, and what is left to check of them.

        As conditions on clips where all accesses are in their table; otherwise as sets of ids, too.
        """
        of_clips, others, exact = self._one_of_each(but)
        conditions, residual = [statements.either(access) for access in of_clips], self._residual(exact)
        sets = [statements.ids_of(access) for access in others]
        if sets and conditions:
            sets.append(select(clips.c.id).where(*map(clause, conditions)))
        return conditions, sets, residual

    def _one_of_each(self, but: Collection[Access]) -> tuple[list[Access], list[Access], list[Member]]:
        """One access of each member: those in the table of clips, the others, and the members that they are exactly."""
        accesses = [pair for pair in self._accesses if all(pair[1] is not one for one in but)]
        on_clips = [pair for pair in accesses if all(path.source is clips for path in pair[1])]
        there = [member for member, _ in on_clips if member is not None]
        elsewhere = [pair for pair in accesses if pair not in on_clips and pair[0] not in there]
        both = [*on_clips, *elsewhere]
        exact = [member for member, access in both if member is not None and all(path.exact for path in access)]
        return [access for _, access in on_clips], [access for _, access in elsewhere], exact

    def _residual(self, found_by: Collection[Member]) -> Residual:
        """What is left to check of rows that are exactly those of these members."""
        left = (member.predicate for member in self._paths.members if member not in found_by)
        return tuple(formed(predicate, fenced=True) for predicate in left)

    def _run(self, way: Way, query: Statement, *, is_walk: bool = False) -> list[PagePosition]:
        """The clips of a statement, with their columns: to ask for these by the ids took a statement more."""
        if self.columns:
            query = statements.with_columns(query, self.order, self.columns, is_walk=is_walk)
        return [PagePosition(row[0], row[1], row) for row in self._settings.rows(way, query)]

    def _run_all(self, way: Way, query: Statement) -> list[PagePosition]:
        """The page of a statement that collects all clips of the filter."""
        if not self.counts:
            return self._run(way, query)
        rows = self._settings.rows(way, statements.counted(query))
        self.total = rows[0][-1] if rows else 0
        return [PagePosition(row[0], row[1]) for row in rows]

    def _require_searchable(self) -> None:
        refusals.require_searchable(
            self.connection,
            self._settings,
            self._paths,
            sorted_by=self.order.by if self._walks.index is None else None,
            is_large=self._is_large,
            has_few=lambda access: self._has_at_most(_LONGER * self.caps.large, access),
        )

    def _is_large(self) -> bool:
        self._settings.use(Way.WALK)
        many = select(clips.c.id).order_by(clips.c.id).offset(self.caps.large).limit(1)
        return self.connection.execute(many).one_or_none() is not None


def _is_counted(member: Member | None) -> bool:
    """Whether another access of a member has exactly its clips, one after the other, and so was counted first."""
    accesses = () if member is None else member.accesses
    return any(all(path.in_steps and path.exact and path.rest is true() for path in access) for access in accesses)
