"""Which clips facets look at: all that a filter finds, or the newest of them when they are many."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from storage.clips.facets import counting
from storage.clips.facets.counting import ClipCount
from storage.tables import clips

LOOKED_AT = counting.EXACT_UP_TO
"""The most clips that facets look at."""
_c = clips.c


@dataclass(frozen=True, slots=True)
class Newest:
    """The ids of the clips that are looked at, and how many there are in all."""

    ids: list[str]
    count: ClipCount

    @property
    def is_capped(self) -> bool:
        """Whether there are clips that are not looked at."""
        return not self.count.exact or self.count.clips > len(self.ids)


def newest(connection: Connection, where: ColumnElement[bool]) -> Newest:
    """The latest recorded clips for which a condition holds, at most LOOKED_AT.

    1. collect them without an order, by whatever index serves, and one more than fits
    2. only when they do not fit: count, and take the newest
    """
    ids = list(connection.execute(select(_c.id).where(where).limit(LOOKED_AT + 1)).scalars())
    if len(ids) <= LOOKED_AT:
        return Newest(ids, counting.exactly(len(ids)))
    latest = select(_c.id).where(where).order_by(_c.recorded_ns.desc(), _c.id.desc()).limit(LOOKED_AT)
    ids = list(connection.execute(latest).scalars())
    return Newest(ids, counting.estimate(connection, where))
