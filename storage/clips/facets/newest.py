"""Which clips facets look at: all that a filter finds, or the newest of them when they are many."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from storage.clips.cql2 import Filter
from storage.clips.facets import counting
from storage.clips.facets.counting import ClipCount

LOOKED_AT = 4000
"""The most clips that facets look at: shares of so many are within 1.6 points of those of more, in 19 of 20 cases."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The ids of the clips that are looked at, and how many there are in all."""

    ids: list[str]
    count: ClipCount

    @property
    def is_capped(self) -> bool:
        """Whether there are clips that are not looked at."""
        return not self.count.exact or self.count.clips > len(self.ids)


def newest(connection: Connection, query: Filter | None) -> Newest:
    """The latest recorded clips that a filter finds (None: of all), at most LOOKED_AT; all, if these are no more.

    They are about half as many where few of a catalog's clips meet the filter, and at least a quarter where a walk
    has not found more soon (`storage/clips/plan/newest.py`). What a search refuses is refused here.
    """
    ids, count = counting.newest_and_count(connection, query, LOOKED_AT)
    return Newest(ids, count)
