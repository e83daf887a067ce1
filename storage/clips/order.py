"""Sort orders for pages of clips: by a property, then by id; and the condition for what comes after a position.

Clips without the property come last, in ascending and in descending order.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Float, Text, and_, literal, or_, tuple_

from storage.clips.properties import Property, SortType, property_named, sortable_names
from storage.tables import clips
from triggers.errors import InvalidInput

DEFAULT_SORT = "-recorded"
SIGNS = ("-", "+", " ")
"""What may stand before a property's name; a plus that was not encoded arrives in a URL as a blank."""

SortKey: TypeAlias = int | float | str | None
"""A clip's value of the property that pages are sorted by; None when the clip does not have it."""

_SQL_TYPES: dict[SortType, type[BigInteger | Float[Any] | Text]] = {
    "integer": BigInteger,
    "float": Float,
    "text": Text,
}


@dataclass(frozen=True)
class PagePosition:
    """A place between two clips: directly after the clip with this sort key and id."""

    key: SortKey
    clip_id: str


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

    def terms(self) -> tuple[ColumnElement[Any], ...]:
        """The terms of ORDER BY."""
        key, clip_id = self.by.expression, clips.c.id
        if self.by.nullable:
            return (key.desc().nulls_last(), clip_id.desc()) if self.falling else (key.asc().nulls_last(), clip_id)
        # No NULLS LAST here: the index on (start_ns, id) is not sorted that way, and a page should be a scan of it.
        return (key.desc(), clip_id.desc()) if self.falling else (key, clip_id)

    def after(self, position: PagePosition) -> ColumnElement[bool]:
        """The condition that a clip comes after a position."""
        key, clip_id = self.by.expression, literal(position.clip_id, Text)
        if position.key is None:
            return and_(key.is_(None), clips.c.id < clip_id if self.falling else clips.c.id > clip_id)
        last = tuple_(literal(position.key, _SQL_TYPES[self._type]), clip_id)
        row = tuple_(key, clips.c.id)
        after = row < last if self.falling else row > last
        return or_(after, key.is_(None)) if self.by.nullable else after

    def takes(self, key: object) -> bool:
        """Whether this can be a sort key of the order: of its type, and within what SQL holds."""
        if key is None:
            return self.by.nullable
        if self._type == "integer":
            return type(key) is int and -(2**63) <= key < 2**63  # a bool is an int, too
        return isinstance(key, float if self._type == "float" else str)

    @property
    def _type(self) -> SortType:
        if self.by.sort is None:
            raise ValueError(f"{self.by.name} is not a sort key")
        return self.by.sort


def _remedy(name: str) -> str:
    near = get_close_matches(name, sortable_names(), n=2)
    return f"did you mean {' or '.join(near)}?" if near else f"sort by one of {', '.join(sortable_names())}"
