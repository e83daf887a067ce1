"""Sort orders for pages of clips: by a property, then by id; and the condition for what comes after a position.

Clips without the property come last, in ascending and in descending order. Of several values, such as those of a clip's
fires, the least decides in ascending order and the greatest in descending order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from types import UnionType
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Float, Text, and_, func, literal, or_, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from storage.clips.properties import Property, SortType, property_named, sortable_names
from storage.clips.scopes import extreme
from storage.statements.forms import Condition
from storage.statements.prepared import Bound, Template
from storage.tables import clips
from triggers.errors import InvalidInput

SIGNS = ("-", "+", " ")
"""What may stand before a property's name; a plus that was not encoded arrives in a URL as a blank."""

MAX_KEY_CHARACTERS = 200
"""As many as an attribute may have. Labels may be longer: so many of their characters decide."""

SortKey: TypeAlias = int | float | str | bool | None
"""A clip's value of the property that pages are sorted by; None when the clip does not have it."""

SQL_TYPES: dict[SortType, type[BigInteger | Float[Any] | Text | JSONB]] = {
    "integer": BigInteger,
    "float": Float,
    "text": Text,
    "json": JSONB,
}
_PYTHON_TYPES: dict[SortType, type | UnionType] = {
    "float": float,
    "text": str,
    "json": str | bool | int | float,
}


@dataclass(frozen=True, slots=True)
class PagePosition:
    """A place between two clips: directly after the clip with this sort key and id.

    `columns` are its row where columns of that clip were read: they come after its key and id.
    """

    key: SortKey
    clip_id: str
    columns: Sequence[Any] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Order:
    """By a property, ascending or descending (`falling`), then by id in the same direction."""

    by: Property
    falling: bool = False

    @classmethod
    def parse(cls, sortby: str) -> Order:
        """The order that a property's name stands for; a leading `-` makes it descending, `+` ascending."""
        name = sortby[1:] if sortby[:1] in SIGNS else sortby
        asked = property_named(name)
        if asked is None or asked.sort is None:
            raise InvalidInput(
                f"clips cannot be sorted by {sortby[:60]!r}",
                remedy=_remedy(name),
            )
        return cls(asked, falling=sortby.startswith("-"))

    def __str__(self) -> str:
        return f"-{self.by.name}" if self.falling else self.by.name

    @property
    def key(self) -> ColumnElement[Any]:
        """What a clip is sorted by."""
        if self.by.scope is None:
            return self.by.expression
        decides = extreme(self.by.scope, self.by.expression, greatest=self.falling)
        return func.left(decides, MAX_KEY_CHARACTERS) if self.by.sort == "text" else decides

    @property
    def nullable(self) -> bool:
        """Whether clips may lack it."""
        return self.by.nullable or self.by.scope is not None

    def sorted(self, key: ColumnElement[Any], clip_id: ColumnElement[str]) -> tuple[ColumnElement[Any], ...]:
        """The terms of ORDER BY for rows that are sorted: clips without the property come last."""
        return (key.desc().nulls_last(), clip_id.desc()) if self.falling else (key.asc().nulls_last(), clip_id.asc())

    def walked(self, key: ColumnElement[Any], clip_id: ColumnElement[str]) -> tuple[ColumnElement[Any], ...]:
        """The terms of ORDER BY for one segment, as an index on (key, id) has them, in one direction or the other."""
        return (key.desc(), clip_id.desc()) if self.falling else (key.asc(), clip_id.asc())

    def segments(self, after: PagePosition | None) -> tuple[Segment, ...]:
        """The segments that come after a position (None: all): clips with the property, then those without it."""
        if not self.nullable:
            return (Segment(self, after),)
        without = Segment(self, after if after is not None and after.key is None else None, lacks=True)
        return (without,) if after is not None and after.key is None else (Segment(self, after), without)

    def after(self, position: PagePosition) -> ColumnElement[bool]:
        """The condition that a clip comes after a position."""
        key = self.key
        if position.key is None:
            return and_(key.is_(None), self._beyond(clips.c.id, literal(position.clip_id, Text)))
        here, last = literal(position.key, SQL_TYPES[self._type]), literal(position.clip_id, Text)
        after = _beside(key, clips.c.id, here, last, falls=self.falling, strictly=True)
        return or_(after, key.is_(None)) if self.nullable else after

    def beyond(self, key: ColumnElement[Any], clip_id: ColumnElement[str], position: PagePosition) -> Bound:
        """The condition that a row of an index comes after a position that has the property, too."""
        form = _relation(key, clip_id, self._type, falls=self.falling, strictly=True)
        return form.bound(key=position.key, clip_id=position.clip_id)

    def up_to(self, key: ColumnElement[Any], clip_id: ColumnElement[str], end: PagePosition) -> Condition:
        """The condition that a row of a segment does not come after a position of the same segment."""
        if end.key is None:
            last = literal(end.clip_id, Text)
            return clip_id >= last if self.falling else clip_id <= last
        form = _relation(key, clip_id, self._type, falls=not self.falling, strictly=False)
        return form.bound(key=end.key, clip_id=end.clip_id)

    def first_of(self, positions: Sequence[PagePosition]) -> list[PagePosition]:
        """Positions in an order by a time, sorted, each once."""
        known = {(int(one.key), one.clip_id): one for one in positions if one.key is not None}
        lacking = {one.clip_id: one for one in positions if one.key is None}
        first = [known[place] for place in sorted(known, reverse=self.falling)]
        return first + [lacking[clip_id] for clip_id in sorted(lacking, reverse=self.falling)]

    def _beyond(self, row: ColumnElement[Any], last: ColumnElement[Any]) -> ColumnElement[bool]:
        return row < last if self.falling else row > last

    def takes(self, key: object) -> bool:
        """Whether this can be a sort key of the order: of its type, and within what SQL holds."""
        if key is None:
            return self.nullable
        if self._type == "integer":
            return type(key) is int and -(2**63) <= key < 2**63  # a bool is an int, too
        return isinstance(key, _PYTHON_TYPES[self._type])

    @property
    def _type(self) -> SortType:
        if self.by.sort is None:
            raise ValueError(f"{self.by.name} is not a sort key")
        return self.by.sort


@dataclass(frozen=True)
class Segment:
    """A part of an order that is one range of an index: the clips with the property, or those without it (`lacks`)."""

    order: Order
    after: PagePosition | None = None
    lacks: bool = False

    def conditions(self, key: ColumnElement[Any], clip_id: ColumnElement[str]) -> list[Condition]:
        """What holds of its rows: of one that follows a position, only of those after it."""
        order = self.order
        if self.lacks:
            after = None if self.after is None else literal(self.after.clip_id, Text)
            lacking: list[Condition] = [key.is_(None)]
            if after is not None:
                lacking.append(clip_id < after if order.falling else clip_id > after)
            return lacking
        known: list[Condition] = [key.is_not(None)] if order.nullable else []
        return known if self.after is None else [*known, order.beyond(key, clip_id, self.after)]


@lru_cache(256)
def _relation(
    key: ColumnElement[Any], clip_id: ColumnElement[str], kind: SortType, *, falls: bool, strictly: bool
) -> Template:
    """The condition of `_beside` with any position, of a key that is written without the rest of a statement."""

    def write(**end: ColumnElement[Any]) -> ColumnElement[bool]:
        return _beside(key, clip_id, end["key"], end["clip_id"], falls=falls, strictly=strictly)

    return Template(write, key=SQL_TYPES[kind](), clip_id=Text())


def _beside(
    key: ColumnElement[Any],
    clip_id: ColumnElement[str],
    end: ColumnElement[Any],
    last: ColumnElement[str],
    *,
    falls: bool,
    strictly: bool,
) -> ColumnElement[bool]:
    """Whether a row lies beyond an end, or at it unless `strictly`: above it, or below if it `falls`."""
    row, last_row = tuple_(key, clip_id), tuple_(end, last)
    # The key alone as well: beside other bounds of it, PostgreSQL does not end a scan by a comparison of rows.
    if falls:
        return and_(key <= end, row < last_row if strictly else row <= last_row)
    return and_(key >= end, row > last_row if strictly else row >= last_row)


def _remedy(name: str) -> str:
    near = get_close_matches(name, sortable_names(), n=2)
    return f"did you mean {' or '.join(near)}?" if near else f"sort by one of {', '.join(sortable_names())}"
