"""Which clips facets look at: all that a filter finds, or the newest of them when they are many."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from storage.clips.cql2 import Filter
from storage.clips.facets import counting
from storage.clips.facets.counting import ClipCount
from storage.clips.query import ClipQuery, Page

LOOKED_AT = counting.EXACT_UP_TO
"""The most clips that facets look at."""


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
    """The latest recorded clips that a filter finds (None: of all), at most LOOKED_AT.

    They are a page of a search, and found as one: what a search refuses is refused here. Only when there is a next page
    are the filter's clips counted.
    """
    asked = ClipQuery(query, page=Page(LOOKED_AT))
    ids = [position.clip_id for position in asked.positions(connection, counting.CAPS)]
    if len(ids) <= LOOKED_AT:
        return Newest(ids, counting.exactly(len(ids)))
    return Newest(ids[:LOOKED_AT], counting.estimate(connection, asked))
