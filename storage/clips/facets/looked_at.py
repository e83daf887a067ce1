"""The clips that facets look at, with their fires and labels, as common table expressions: each row is fetched once.

Three properties of fires are one look at the fires of each clip, and not three. The expression of the clips is called
like their table, so that the expressions of properties, which name columns of `clips`, are about these clips alone.
Those of fires and labels have names of their own, as other expressions look into these tables, too (`label_count`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.util import ClauseAdapter

from storage.clips.properties import Property
from storage.clips.scopes import Scope
from storage.tables import clip_fires, clips, labels

_TABLES: Mapping[Scope | None, Table] = {
    None: clips,
    "tag": clips,
    "fire": clip_fires,
    "label": labels,
    "labeling": labels,
}
"""Where the values of a scope are."""
_ARRAYS: Mapping[Scope | None, Column[Any]] = {"tag": clips.c.tags, "label": labels.c.types}
"""The array whose elements they are."""
_NUMBER = "number"


@dataclass(frozen=True)
class LookedAt:
    """Some clips, and what a statement needs to know of them: their rows of each table, with the clip's number."""

    rows: Mapping[Table, CTE]

    @classmethod
    def of(cls, clip_ids: Sequence[str], properties: Sequence[Property]) -> LookedAt:
        """The clips with these ids: the columns of them, their fires and their labels that these properties need."""
        listed = func.unnest(literal(list(clip_ids), ARRAY(Text)))
        numbered = listed.table_valued(column("id", Text), with_ordinality=_NUMBER).render_derived()
        ids = select(numbered.c.id, cast(numbered.c.number, Integer).label(_NUMBER)).cte("looked_at")
        by_table: dict[Table, list[Property]] = {}
        for about in properties:
            by_table.setdefault(_TABLES[about.scope], []).append(about)
        return cls({table: _rows(ids, table, of_it) for table, of_it in by_table.items()})

    def values(self, about: Property) -> Select[Any]:
        """A row for each different value that a clip has: its number, and the `value`, which is not null."""
        rows = self.rows[_TABLES[about.scope]]
        source, value = self._source(about)
        # As text: the rows of clips are called like their table, and SQLAlchemy would name both.
        number = literal_column(f"{rows.name}.{_NUMBER}", Integer).label(_NUMBER)
        found = select(number, value.label("value")).select_from(source)
        if about.scope is None:  # one value of each clip, which is computed once
            of_clips = found.subquery()
            return select(of_clips).where(of_clips.c.value.is_not(None))
        return found.where(value.is_not(None)).distinct()

    def _source(self, about: Property) -> tuple[FromClause, ColumnElement[Any]]:
        """Where the values are, one in a row, and the expression for one of them."""
        table, array = _TABLES[about.scope], _ARRAYS.get(about.scope)
        adapter: Any = ClauseAdapter(self.rows[table])
        adapted: Callable[[Any], Any] = (lambda element: element) if table is clips else adapter.traverse
        source = table if table is clips else self.rows[table]
        if array is None:
            return source, adapted(about.expression)
        elements = func.unnest(adapted(array)).table_valued("element", name="element")
        return source.join(elements, true()), about.expression


def _rows(ids: CTE, table: Table, properties: Sequence[Property]) -> CTE:
    """The rows of a table that belong to the clips."""
    clip_id = table.c.id if table is clips else table.c.clip_id
    needed = dict.fromkeys(each for about in properties for each in _columns(about, table))
    rows = select(ids.c[_NUMBER], *needed).select_from(ids.join(table, clip_id == ids.c.id))
    return rows.cte("clips" if table is clips else f"{table.name}_looked_at")


def _columns(about: Property, table: Table) -> Iterator[Column[Any]]:
    """The columns of a table that a property's expression names, or the array whose elements it is about."""
    if about.scope in _ARRAYS:
        yield _ARRAYS[about.scope]
    for element in visitors.iterate(about.expression):
        if isinstance(element, Column) and element.table is table:
            yield element
