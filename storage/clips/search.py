"""Searching the catalog, one page of clips at a time.

A page continues after the sort key and id of the last clip before it, so clips that are added or removed in the
meantime neither repeat nor hide others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from storage.clips.cql2.absent import absent_names
from storage.clips.plan import Caps, Way, values_of
from storage.clips.properties import known_names
from storage.clips.query import ClipQuery
from storage.clips.records import COLUMNS, TRACK, Clip, Track, clip_of, read_track
from storage.statements.forms import Fixed
from storage.statements.time_limit import time_limit

SEARCH_TIMEOUT_S = 15.0
_COLUMNS = tuple(map(Fixed, COLUMNS))
_AFTER_POSITION = 2
"""Where the columns begin in the row of a clip on a page: after its sort key and id."""
_WITH_TRACK = (*_COLUMNS, Fixed(TRACK))


@dataclass(frozen=True, slots=True)
class FoundClips:
    """A page of clips, and the token of the next one (None: this was the last)."""

    clips: list[Clip]
    next: str | None
    notes: tuple[str, ...] = ()
    """Of a search that finds nothing: the names in its filter that nothing has."""
    tracks: Mapping[str, Track] = field(default_factory=dict)
    """Of a search `with_tracks`: empty for a clip without one."""


def search(
    connection: Connection,
    query: ClipQuery,
    *,
    with_tracks: bool = False,
    timeout_s: float = SEARCH_TIMEOUT_S,
    caps: Caps | None = None,
) -> FoundClips:
    """The page of clips that a query asks for.

    InvalidInput when it asks for a name that no clip has had, or would have to look at all clips of a large catalog;
    Overloaded when one of its statements takes longer than `timeout_s`.
    """
    narrower, also = "narrow it down, for instance by start or vehicle", values_of(Way.WALK)
    with time_limit(connection, timeout_s, what="your search", remedy=narrower, also=also):
        known_names.require_known(connection, query.properties(), absent_is_null=query.absent_is_null)
        page = query.page_of(connection, caps, set_to=Way.WALK, columns=_WITH_TRACK if with_tracks else _COLUMNS)
        if not page.clips and query.page.after is None and query.filter is not None:
            return FoundClips([], None, tuple(absent_names(connection, query.filter.tree)))
    found = [clip_of(clip.columns, _AFTER_POSITION) for clip in page.clips]
    tracks = {clip.clip_id: read_track(clip.columns[-1]) for clip in page.clips} if with_tracks else {}
    return FoundClips(found, page.next, tracks=tracks)
