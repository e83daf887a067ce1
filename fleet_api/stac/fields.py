"""The members of items that a request wants (STAC API, Fields extension)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from triggers.contracts.api.stac.search import Fields

USUAL = ("geometry", "bbox", "links", "assets", "properties.datetime")
"""Of a request that names no member."""
ALWAYS = ("type", "stac_version", "id", "collection")
"""What an item is: left out only if that is asked for."""
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """The members that a request wants, so that no others are made.

    A member follows the longest path that names it or what it is in; one that is both included and excluded is
    included. Without `include` everything is wanted that is not excluded; with an empty one, of the usual members.

    >>> Wanted.of(Fields(include=("properties.c.d",))).of_item({"id": "a", "properties": {"b": 1, "c.d": 2}})
    {'id': 'a', 'properties': {'c.d': 2}}
    """

    include: frozenset[str] = _NONE
    """Empty: everything."""
    exclude: frozenset[str] = _NONE
    _within: frozenset[str] = field(init=False)
    """Members of which something is named apart."""

    def __post_init__(self) -> None:
        paths = self.include | self.exclude
        object.__setattr__(self, "_within", frozenset(path.partition(".")[0] for path in paths if "." in path))

    @classmethod
    def of(cls, fields: Fields | None) -> Wanted:
        """What a request's `fields` ask for."""
        if fields is None:
            return cls()
        include, exclude = frozenset(fields.include or ()), frozenset(fields.exclude or ())
        if not include and (not exclude or "include" in fields.model_fields_set):
            include = frozenset(USUAL) - exclude
        return cls(include | frozenset(ALWAYS) if include else include, exclude)

    def has(self, member: str) -> bool:
        """Whether a member of an item is wanted, or something in it."""
        return self._takes(member, outer=not self.include) or any(
            path.startswith(f"{member}.") for path in self.include
        )

    @property
    def chooses_within(self) -> bool:
        """Whether something is chosen within a member, so that whole members are not enough."""
        return bool(self._within)

    def of_item(self, item: dict[str, Any]) -> dict[str, Any]:
        """The item with the wanted members."""
        return item if not self.include and not self.exclude else self._chosen(item, "", outer=not self.include)

    def _takes(self, path: str, *, outer: bool) -> bool:
        """Whether a path is wanted, within what is (`outer`) or is not."""
        return path in self.include or (outer and path not in self.exclude)

    def _chosen(self, members: dict[str, Any], place: str, *, outer: bool) -> dict[str, Any]:
        chosen = {}
        for name, value in members.items():
            path = f"{place}{name}"
            is_wanted = self._takes(path, outer=outer)
            if isinstance(value, dict) and (place or name in self._within):
                inner = self._chosen(value, f"{path}.", outer=is_wanted)
                if is_wanted or inner:
                    chosen[name] = inner
            elif is_wanted:
                chosen[name] = value
        return chosen
