"""Searching the catalog, one page of clips at a time.

A page continues after the sort key and id of the last clip before it, so clips that are added or removed in the
meantime neither repeat nor hide others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from storage.clips.cql2.absent import absent_names
from storage.clips.plan import Caps
from storage.clips.properties import known_names
from storage.clips.query import ClipQuery
from storage.clips.records import TRACK, Clip, Track, read_clips, read_track
from storage.statements.time_limit import time_limit

SEARCH_TIMEOUT_S = 15.0


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
    narrower = "narrow it down, for instance by start or vehicle"
    with time_limit(connection, timeout_s, what="your search", remedy=narrower):
        known_names.require_known(connection, query.properties(), absent_is_null=query.absent_is_null)
        page = query.page_of(connection, caps)
        if not page.clip_ids and query.page.after is None and query.filter is not None:
            return FoundClips([], None, tuple(absent_names(connection, query.filter.tree)))
        read = read_clips(connection, page.clip_ids, *([TRACK] if with_tracks else []))
    # A clip that was erased a moment ago is left out.
    found = [read[clip_id][0] for clip_id in page.clip_ids if clip_id in read]
    tracks = {clip_id: read_track(text) for clip_id, (_, (text,)) in read.items()} if with_tracks else {}
    return FoundClips(found, page.next, tracks=tracks)
