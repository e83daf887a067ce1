"""The collections of the catalog: which there are, and what they contain. Campaigns are collections.

Another kind of collection (a dataset, say) is added here: to `list_collections`, to `find_collection`, and to what
`rules.conditions` makes of `collections`.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.campaigns.collected import CollectedCampaign, Extent, extents_of, find_collected, list_collected
from storage.database import Connection, Database
from storage.statements.time_limit import time_limit
from triggers.errors import NotFound, Overloaded

EXTENTS_TIMEOUT_S = 2.0


def list_collections(connection: Connection, *, after: str, limit: int) -> list[CollectedCampaign]:
    """At most `limit` collections by name, for names that sort after `after`."""
    return list_collected(connection, after=after, limit=limit)


def find_collection(connection: Connection, name: str) -> CollectedCampaign:
    """The collection of this name, or NotFound."""
    found = find_collected(connection, name)
    if found is None:
        raise NotFound(f"there is no collection {name[:100]!r}", remedy="GET /stac/collections lists them")
    return found


def measured_extents(database: Database, collections: Sequence[CollectedCampaign]) -> dict[str, Extent]:
    """The extents of collections by name; none at all if reading them takes longer than EXTENTS_TIMEOUT_S.

    An extent must hold all items but may hold more, so a collection without one still has the widest.
    """
    try:
        with (
            database.snapshot() as connection,
            time_limit(connection, EXTENTS_TIMEOUT_S, what="reading extents", remedy="none is needed"),
        ):
            return extents_of(connection, [collection.campaign for collection in collections])
    except Overloaded:
        return {}
