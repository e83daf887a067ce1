"""The statements of a search: walks along an index, collections by an index, and counts that stop at a cap.

All of them give sort keys and ids only. Conditions that no index should answer are wrapped in `IS TRUE`: PostgreSQL
checks them of the rows that the other conditions find.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    and_,
    any_,
    func,
    intersect,
    literal_column,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql.elements import Grouping

from storage.clips.order import Order, PagePosition, Segment
from storage.clips.plan.indexes import clip_id
from storage.clips.plan.paths import Access, Condition, Path
from storage.tables import clips

ANY: Condition = true()
"""No condition."""
SAMPLED = 64
_FIRST_IDS = literal_column(f"'{256 // SAMPLED:02x}'", Text)
_ONE: ColumnElement[int] = literal_column("1", Integer).label("one")
# Typed loosely: mypy 2.4 fails on the variadic types of these functions.
_INTERSECT: Callable[..., Any] = intersect
_UNION: Callable[..., Any] = union
_SELECT: Callable[..., Any] = select


def all_of(conditions: Sequence[Condition]) -> Condition:
    """A condition that is true where all of these are."""
    return and_(true(), *conditions)


def either(access: Access) -> Condition:
    """The condition of an access all of whose paths are in one table."""
    return or_(*(path.condition for path in access))


def checked(conditions: Sequence[Condition]) -> Condition:
    """Conditions that are checked of each row, and that no index is used for."""
    # In parentheses: NOT x IS TRUE would be NOT (x IS TRUE).
    return Grouping(and_(true(), *conditions)).is_(True) if conditions else true()


@dataclass(frozen=True)
class Walk:
    """A walk over a segment of an order: rows of an index by `key` and id, those of `found` only.

    `source` is the table of the index: that of clips, of fires, or of statistics.
    """

    order: Order
    segment: Segment
    key: ColumnElement[Any]
    source: Any = clips
    found: Condition = ANY
    rest: Condition = ANY
    """What is checked of each row of `source`."""
    leading: ColumnElement[Any] | None = None
    """The first column of the index, of which the walk has one value."""
    by_id: bool = False
    """The order of ids alone, in which a segment of clips without a property may be walked."""

    def end(self, connection: Connection, rows: int) -> PagePosition | None:
        """The position that is so many rows of the index away; None if there are not so many."""
        id_ = clip_id(self.source)
        query = select(self.key, id_).where(self.found, *self._segment()).order_by(*self._terms()).offset(rows).limit(1)
        row = connection.execute(query).one_or_none()
        return None if row is None else PagePosition(row[0], row[1])

    def statement(self, until: PagePosition | None, residual: Condition, limit: int) -> Select[Any]:
        """The first clips of the walk for which `residual` is true; `until` is the last row that it visits."""
        id_ = clip_id(self.source)
        query = select(self.key.label("sort_key"), id_.label("id")).where(self.found, *self._segment())
        if until is not None:
            query = query.where(self.order.up_to(self.key, id_, until))
        if self.source is not clips:
            # A clip with two fires of a trigger is in the walk twice, one after the other.
            leading = [] if self.leading is None else [self.leading]
            query = query.join_from(self.source, clips, clips.c.id == id_).ext(distinct_on(*leading, self.key, id_))
        return query.where(checked([self.rest, residual])).order_by(*self._terms()).limit(limit)

    def _segment(self) -> Sequence[Condition]:
        conditions = self.segment.conditions(self.key, clip_id(self.source))
        return [checked(conditions[:1]), *conditions[1:]] if self.by_id else conditions

    def _terms(self) -> tuple[ColumnElement[Any], ...]:
        if self.by_id:
            return self.order.walked(self.key, clip_id(self.source))[1:]
        terms = self.order.walked(self.key, clip_id(self.source))
        if self.leading is None:
            return terms
        return (self.leading.desc() if self.order.falling else self.leading.asc(), *terms)


def count(accesses: Sequence[Access], caps: Sequence[int], *others: ColumnElement[Any]) -> Select[Any]:
    """How many rows each access finds, as one row; of each path not more than its cap and one. Then others besides."""
    query: Select[Any] = _SELECT(*map(_counted, accesses, caps), *others)
    return query


def _counted(access: Access, cap: int) -> Any:
    first, *more = (_capped(path, cap) for path in access)
    return sum(more, start=first)


def _capped(path: Path, cap: int) -> Any:
    some = select(_ONE).select_from(path.source).where(path.condition).limit(cap + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def count_clips(conditions: Sequence[Condition], cap: int) -> Select[Any]:
    """How many clips all of these conditions find by their indexes, and not more than `cap` + 1."""
    return select(_capped(Path(clips, and_(*conditions)), cap))


def count_sampled(conditions: Sequence[Condition], cap: int) -> Select[Any]:
    """How many of what all of these conditions find are among one in SAMPLED clips, and not more than `cap` + 1.

    Their index has its rows soon; looking each of them up is what takes long, as each is in a page of its own. An id is
    a digest: those below a bound are a sample, and the index of ids has these soon, too.
    """
    return count_clips([*conditions, clips.c.id < _FIRST_IDS], cap)


def ids_of(access: Access) -> Any:
    """The ids of the clips of an access."""
    found = [select(clip_id(path.source).label("id")).where(path.condition, checked([path.rest])) for path in access]
    return found[0].distinct() if len(found) == 1 else _UNION(*found)


def collect(order: Order, after: PagePosition | None, ids: Any, residual: Condition, limit: int) -> Select[Any]:
    """The first clips, in order, of those with these few ids for which `residual` is true: each is looked up."""
    # As an array, or PostgreSQL looks for clips with a `residual` that it takes for rare, and then for their ids.
    few = any_(func.array(ids.scalar_subquery(), type_=ARRAY(Text)))
    return _first(order, _of_clips(order, after, residual).where(clips.c.id == few), limit)


def intersect_sets(
    order: Order, after: PagePosition | None, sets: Sequence[Any], residual: Condition, limit: int
) -> Select[Any]:
    """The first clips, in order, of those that are in all of these sets of ids and for which `residual` is true."""
    return _first(order, in_all(sets, _of_clips(order, after, residual)), limit)


def in_all(sets: Sequence[Any], found: Any) -> Any:
    """What a selection of clips finds among those that are in all of these sets of ids."""
    ids: CTE = (_INTERSECT(*sets) if len(sets) > 1 else sets[0]).cte("ids").prefix_with("MATERIALIZED", dialect="*")
    return found.join_from(ids, clips, ids.c.id == clips.c.id)


def _of_clips(order: Order, after: PagePosition | None, residual: Condition) -> Any:
    conditions = [residual] if after is None else [residual, order.after(after)]
    return select(order.key.label("sort_key"), clips.c.id).where(checked(conditions))


def collect_clips(
    order: Order, after: PagePosition | None, conditions: Sequence[Condition], residual: Condition, limit: int
) -> Select[Any]:
    """The first clips, in order, of those that indexes of `clips` find by all of `conditions`."""
    return _first(order, _of_clips(order, after, residual).where(*conditions), limit)


def counted(page: Select[Any]) -> Select[Any]:
    """The same page of clips that were collected, with the number of all of them in each row."""
    (collected,) = page.get_final_froms()
    return page.add_columns(select(func.count()).select_from(collected).scalar_subquery().label("collected"))


def _first(order: Order, found: Any, limit: int) -> Select[Any]:
    # Materialised, so that no index is walked in the hope that matching clips come early.
    rows = found.cte("found").prefix_with("MATERIALIZED", dialect="*")
    terms = order.sorted(rows.c.sort_key, rows.c.id)
    return select(rows.c.sort_key, rows.c.id).order_by(*terms).limit(limit)
