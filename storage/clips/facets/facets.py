"""Facets of a filter: how many clips it finds, and how these are spread over properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from storage.clips.cql2 import Filter
from storage.clips.cql2.tree import properties
from storage.clips.facets import counting
from storage.clips.facets.asked import Asked
from storage.clips.facets.counting import ClipCount
from storage.clips.facets.newest import newest
from storage.clips.facets.spread import Spread, spreads
from storage.clips.properties import Property, known_names
from storage.statements.time_limit import time_limit

TIMEOUT_S = 15.0
_NARROWER = "narrow it down, for instance by recorded or vehicle"


@dataclass(frozen=True, slots=True)
class Facets:
    """How many clips there are, how many of them (the newest) were looked at, and their spread over each property."""

    count: ClipCount
    looked_at: int
    capped: bool
    spreads: tuple[tuple[Asked, Spread], ...]


def count(connection: Connection, query: Filter | None, *, timeout_s: float = TIMEOUT_S) -> ClipCount:
    """How many clips a filter finds (None: all clips). Errors as those of `facets`."""
    with time_limit(connection, timeout_s, what="the count", remedy=_NARROWER):
        known_names.require_known(connection, _asked_for(query))
        return counting.count(connection, query)


def facets(
    connection: Connection, query: Filter | None, asked: Sequence[Asked], *, timeout_s: float = TIMEOUT_S
) -> Facets:
    """How the clips of a filter (None: all clips) are spread over each of the properties.

    InvalidInput when filter or properties ask for a name that no clip has had, or for too many bins; Overloaded when
    a statement takes longer than `timeout_s`.
    """
    with time_limit(connection, timeout_s, what="the facets", remedy=_NARROWER):
        known_names.require_known(connection, _asked_for(query) | {each.about for each in asked})
        found = newest(connection, query)
        spread = spreads(connection, found.ids, asked)
    return Facets(found.count, len(found.ids), found.is_capped, tuple(zip(asked, spread, strict=True)))


def _asked_for(query: Filter | None) -> set[Property]:
    return set() if query is None else properties(query.tree)
