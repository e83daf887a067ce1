"""The statements of a search: walks along an index, collections by an index, and counts that stop at a cap.

All of them give sort keys and ids only. Conditions that no index should answer are wrapped in `IS TRUE`: PostgreSQL
checks them of the rows that the other conditions find.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
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
from storage.clips.plan.paths import Access, Path
from storage.statements.forms import Condition, Fixed, Given, Statement, clause
from storage.tables import clips

SAMPLED = 64
_FIRST_IDS = literal_column(f"'{256 // SAMPLED:02x}'", Text)
_ONE: ColumnElement[int] = literal_column("1", Integer).label("one")
# Typed loosely: mypy 2.4 fails on the variadic types of these functions.
_INTERSECT: Callable[..., Any] = intersect
_UNION: Callable[..., Any] = union
_SELECT: Callable[..., Any] = select
Columns: TypeAlias = tuple[Fixed, ...]
"""Columns of clips that a page has besides."""
Residual: TypeAlias = tuple[Condition, ...]
"""What is left to check of each row that is found."""
_Written: TypeAlias = ColumnElement[bool]
"""What a function that writes a statement has of a condition."""


def either(access: Access) -> Condition:
    """The condition of an access all of whose paths are in one table."""
    return access[0].condition if len(access) == 1 else or_(*(clause(path.condition) for path in access))


def checked(conditions: Sequence[_Written]) -> _Written:
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
    found: tuple[Condition, ...] = ()
    rest: Condition | None = None
    """What is checked of each row of `source`."""
    leading: ColumnElement[Any] | None = None
    """The first column of the index, of which the walk has one value."""
    by_id: bool = False
    """The order of ids alone, in which a segment of clips without a property may be walked."""

    def end(self, rows: int) -> Statement:
        """The key and the id of the row that is so many rows of the index away; no row if there are not so many."""
        return Statement(_end, self._index(), self._rows(), Given(rows, Integer))

    def statement(self, until: PagePosition | None, residual: Residual, limit: int) -> Statement:
        """The first clips of the walk for which `residual` is true; `until` is the last row that it visits."""
        rows = self._rows()
        if until is not None:
            rows = (*rows, self.order.up_to(self.key, clip_id(self.source), until))
        checks = residual if self.rest is None else (self.rest, *residual)
        return Statement(_walked, self._index(), rows, checks, Given(limit, Integer))

    def _index(self) -> tuple[Any, ...]:
        return self.source, self.key, self.order, self.leading, self.by_id

    def _rows(self) -> tuple[Condition, ...]:
        conditions = self.segment.conditions(self.key, clip_id(self.source))
        return (
            *self.found,
            *([checked(list(map(clause, conditions[:1]))), *conditions[1:]] if self.by_id else conditions),
        )


def _end(index: tuple[Any, ...], rows: Sequence[_Written], number: ColumnElement[int]) -> Select[Any]:
    source, key, *_ = index
    return select(key, clip_id(source)).where(*rows).order_by(*_terms(*index)).offset(number).limit(1)


def _walked(
    index: tuple[Any, ...], rows: Sequence[_Written], checks: Sequence[_Written], limit: ColumnElement[int]
) -> Select[Any]:
    source, key, _, leading, _ = index
    id_ = clip_id(source)
    query = select(key.label("sort_key"), id_.label("id")).where(*rows)
    if source is not clips:
        # A clip with two fires of a trigger is in the walk twice, one after the other.
        first = [] if leading is None else [leading]
        query = query.join_from(source, clips, clips.c.id == id_).ext(distinct_on(*first, key, id_))
    return query.where(checked(checks)).order_by(*_terms(*index)).limit(limit)


def _terms(
    source: Any, key: ColumnElement[Any], order: Order, leading: ColumnElement[Any] | None, by_id: bool
) -> tuple[ColumnElement[Any], ...]:
    terms = order.walked(key, clip_id(source))
    if by_id:
        return terms[1:]
    return terms if leading is None else (leading.desc() if order.falling else leading.asc(), *terms)


def count(accesses: Sequence[Access], caps: Sequence[int], *others: Fixed | Statement) -> Statement:
    """How many rows each access finds, as one row; of each path not more than its cap and one. Then others besides."""
    counts = tuple(tuple(_capped(path, cap) for path in access) for access, cap in zip(accesses, caps, strict=True))
    return Statement(_counts, counts, others)


def _counts(accesses: Sequence[Sequence[Select[Any]]], others: Sequence[Any]) -> Select[Any]:
    counts = [[path.scalar_subquery() for path in paths] for paths in accesses]
    more = [other.scalar_subquery() if isinstance(other, Select) else other for other in others]
    query: Select[Any] = _SELECT(*(sum(others, start=first) for first, *others in counts), *more)
    return query


def _capped(path: Path, cap: int) -> Statement:
    return Statement(_count, path.source, (path.condition,), Given(cap + 1, Integer))


def _count(source: Any, conditions: Sequence[_Written], limit: ColumnElement[int]) -> Select[Any]:
    some = select(_ONE).select_from(source).where(*conditions).limit(limit).subquery()
    return select(func.count()).select_from(some)


def count_clips(conditions: Sequence[Condition], cap: int) -> Statement:
    """How many clips all of these conditions find by their indexes, and not more than `cap` + 1."""
    return Statement(_count, clips, tuple(conditions), Given(cap + 1, Integer))


def count_sampled(conditions: Sequence[Condition], cap: int) -> Statement:
    """How many of what all of these conditions find are among one in SAMPLED clips, and not more than `cap` + 1.

    Their index has its rows soon; looking each of them up is what takes long, as each is in a page of its own. An id is
    a digest: those below a bound are a sample, and the index of ids has these soon, too.
    """
    return count_clips([*conditions, clips.c.id < _FIRST_IDS], cap)


def ids_of(access: Access) -> Any:
    """The ids of the clips of an access."""
    found = [
        select(clip_id(path.source).label("id")).where(clause(path.condition), checked([path.rest])) for path in access
    ]
    return found[0].distinct() if len(found) == 1 else _UNION(*found)


def collect(order: Order, after: PagePosition | None, ids: Any, residual: Residual, limit: int) -> Statement:
    """The first clips, in order, of those with these few ids for which `residual` is true: each is looked up."""
    return Statement(_collected, order, ids, _checks(order, after, residual), Given(limit, Integer))


def _collected(order: Order, ids: Any, checks: Sequence[_Written], limit: ColumnElement[int]) -> Select[Any]:
    # As an array, or PostgreSQL looks for clips with a `residual` that it takes for rare, and then for their ids.
    few = any_(func.array(ids.scalar_subquery(), type_=ARRAY(Text)))
    return _first(order, _of_clips(order, checks).where(clips.c.id == few), limit)


def intersect_sets(
    order: Order, after: PagePosition | None, sets: Sequence[Any], residual: Residual, limit: int
) -> Statement:
    """The first clips, in order, of those that are in all of these sets of ids and for which `residual` is true."""
    return Statement(_intersected, order, tuple(sets), _checks(order, after, residual), Given(limit, Integer))


def _intersected(
    order: Order, sets: Sequence[Any], checks: Sequence[_Written], limit: ColumnElement[int]
) -> Select[Any]:
    return _first(order, in_all(sets, _of_clips(order, checks)), limit)


def in_all(sets: Sequence[Any], found: Any) -> Any:
    """What a selection of clips finds among those that are in all of these sets of ids."""
    ids: CTE = (_INTERSECT(*sets) if len(sets) > 1 else sets[0]).cte("ids").prefix_with("MATERIALIZED", dialect="*")
    return found.join_from(ids, clips, ids.c.id == clips.c.id)


def collect_clips(
    order: Order, after: PagePosition | None, conditions: Sequence[Condition], residual: Residual, limit: int
) -> Statement:
    """The first clips, in order, of those that indexes of `clips` find by all of `conditions`."""
    checks = _checks(order, after, residual)
    return Statement(_collected_clips, order, tuple(conditions), checks, Given(limit, Integer))


def _collected_clips(
    order: Order, conditions: Sequence[_Written], checks: Sequence[_Written], limit: ColumnElement[int]
) -> Select[Any]:
    return _first(order, _of_clips(order, checks).where(*conditions), limit)


def _checks(order: Order, after: PagePosition | None, residual: Residual) -> Residual:
    return residual if after is None else (*residual, order.after(after))


def _of_clips(order: Order, checks: Sequence[_Written]) -> Any:
    return select(order.key.label("sort_key"), clips.c.id).where(checked(checks))


def with_columns(page: Statement, order: Order, columns: Columns, *, is_walk: bool) -> Statement:
    """The same page, with columns of its clips after their keys and ids."""
    return Statement(_with_columns, page, order, columns, is_walk)


def _with_columns(page: Select[Any], order: Order, columns: Sequence[ColumnElement[Any]], is_walk: bool) -> Select[Any]:
    found = page.subquery("page")
    key, id_ = found.c.sort_key, found.c.id
    query: Select[Any] = _SELECT(key, id_, *columns)
    # In the terms of the page itself, so that nothing is sorted again.
    terms = order.walked(key, id_) if is_walk else order.sorted(key, id_)
    return query.join_from(found, clips, clips.c.id == id_).order_by(*terms)


def counted(page: Statement) -> Statement:
    """The same page of clips that were collected, with the number of all of them at the end of each row."""
    return Statement(_with_count, page)


def _with_count(page: Select[Any]) -> Select[Any]:
    (collected,) = page.get_final_froms()
    return page.add_columns(select(func.count()).select_from(collected).scalar_subquery().label("collected"))


def _first(order: Order, found: Any, limit: ColumnElement[int]) -> Select[Any]:
    # Materialised, so that no index is walked in the hope that matching clips come early.
    rows = found.cte("found").prefix_with("MATERIALIZED", dialect="*")
    terms = order.sorted(rows.c.sort_key, rows.c.id)
    return select(rows.c.sort_key, rows.c.id).order_by(*terms).limit(limit)
