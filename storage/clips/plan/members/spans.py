"""What bounds of start, end, time of recording and of fires say of one another.

A clip ends at most the longest recording after it starts, its fires lie between, and it was recorded when it started,
except for those few whose clock was wrong. So a time range narrows the walk of any order of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ARRAY, ColumnElement, Connection, Engine, Executable, Text, column, func, literal, select

from storage.clips.cql2.moments import HIGHEST_NS, LOWEST_NS
from storage.clips.plan.indexes import END, RECORDED, START, Index
from storage.clips.plan.members.bounds import Bounds
from storage.clips.plan.paths import Access, Member, Path, Paths
from storage.clips.properties import require_property, terms
from storage.statements.forms import clause
from triggers.times import NS_PER_S

_ROUNDING_NS = 1_000_000
"""More than a duration in seconds can be off, which is a double."""


LONGEST_S: ColumnElement[float] = select(func.max(require_property("duration_s").expression)).scalar_subquery()
"""How long the longest clip is: the first row of the index by duration. Null without a clip."""
_KNOWN: WeakKeyDictionary[Engine, int] = WeakKeyDictionary()
"""What `longest_ns` said last."""


def longest_ns(connection: Connection) -> int:
    """At least as long as every clip."""
    return note_longest(connection, connection.execute(select(LONGEST_S)).scalar_one())


def note_longest(connection: Connection, longest_s: float | None) -> int:
    """The same as `longest_ns`, of what LONGEST_S was in another statement."""
    _KNOWN[connection.engine] = longest = int((longest_s or 0.0) * NS_PER_S) + _ROUNDING_NS
    return longest


def assumed_longest_ns(connection: Connection) -> int:
    """What was last known as `longest_ns`, which may be too short by now: whoever assumes it looks at LONGEST_S, too.

    It is a statement less for a search, beside its counts.
    """
    known = _KNOWN.get(connection.engine)
    return longest_ns(connection) if known is None else known


def related(ranges: dict[Index, Bounds], fired: Bounds, longest: int) -> dict[Index, Bounds]:
    """The ranges of all properties, with those of start and end as narrow as each other and `fired` make them."""
    start, end = ranges.get(START, Bounds()), ranges.get(END, Bounds())
    start = start & shifted(end, -longest, 0) & shifted(fired, -longest, 0)
    end = end & shifted(start, 0, longest)
    return ranges | {index: bounds for index, bounds in ((START, start), (END, end)) if bounds != Bounds()}


def by_recording(key: Index | None, ranges: dict[Index, Bounds]) -> Bounds | None:
    """For an order by `recorded` or `start`, bounds of the other one, which all but clips of a wrong clock obey."""
    other = {RECORDED: START, START: RECORDED}.get(key) if key is not None else None
    return None if other is None else ranges.get(other)


def of_terms(connection: Connection, paths: Paths) -> Bounds:
    """When the clips were recorded that have the attributes and tags of a filter."""
    bounds = Bounds()
    for asked, values in paths.equalities():
        if asked.attribute is not None:
            span = terms.span_of_attribute(connection, asked.attribute, values)
        else:
            span = terms.span_of_tags(connection, [str(value) for value in values])
        bounds = bounds if span is None else bounds & Bounds(*span)
    return bounds


def of_accesses(connection: Connection, found: Sequence[tuple[Member | None, Access]]) -> Bounds:
    """When the clips of accesses were recorded whose indexes have them by time: the first and the last row of each."""
    bounds = Bounds()
    for path in (access[0] for _, access in found if len(access) == 1 and len(found) > 1):
        if path.by_time or path.each_by_time:
            first, last = connection.execute(_ends(path)).one()
            bounds = bounds if first is None else bounds & Bounds(first, last)
    return bounds


def _ends(path: Path) -> Executable:
    """The first and the last time of recording of a path's rows."""
    recorded: ColumnElement[int] = path.source.c.recorded_ns
    leading = recorded if path.leading is None else path.leading
    if not path.each_by_time:
        return select(*_first_and_last(recorded, leading, clause(path.condition)))
    values = func.unnest(literal(path.each_by_time, ARRAY(Text)))
    one = values.table_valued(column("value", Text), name="each").render_derived()
    each = select(*_first_and_last(recorded, leading, leading == one.c.value)).select_from(one).subquery()
    first, last = each.c
    return select(func.min(first), func.max(last))


def _first_and_last(
    recorded: ColumnElement[int], leading: ColumnElement[Any], condition: ColumnElement[bool]
) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The ends of a range of an index by time, that of one value of what leads it."""
    rows = select(recorded).where(condition).limit(1)
    first, last = rows.order_by(leading, recorded), rows.order_by(leading.desc(), recorded.desc())
    return first.scalar_subquery(), last.scalar_subquery()


def shifted(bounds: Bounds, low: int, high: int) -> Bounds:
    """Bounds of a value that lies from `low` to `high` ns beside one within `bounds`."""
    if bounds.choices:
        bounds = replace(bounds, low=min(bounds.choices), high=max(bounds.choices), choices=None)
    first = None if bounds.low is None else max(bounds.low + low, LOWEST_NS)
    last = None if bounds.high is None else min(bounds.high + high, HIGHEST_NS)
    return Bounds(first, last)
