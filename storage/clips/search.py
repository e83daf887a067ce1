"""Searching the catalog, one page of clips at a time.

A page continues after the sort key and id of the last clip before it, so clips that are added or removed in the
meantime neither repeat nor hide others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from storage.clips.cql2.absent import absent_names
from storage.clips.plan import Caps
from storage.clips.properties import known_names
from storage.clips.query import ClipQuery
from storage.clips.records import CLIP_COLUMNS, Clip, clips_of
from storage.rows import is_among
from storage.tables import clips
from storage.time_limit import time_limit

SEARCH_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class FoundClips:
    """A page of clips, and the token of the next one (None: this was the last)."""

    clips: list[Clip]
    next: str | None
    notes: tuple[str, ...] = ()
    """Of a search that finds nothing: the names in its filter that nothing has."""


def search(
    connection: Connection, query: ClipQuery, *, timeout_s: float = SEARCH_TIMEOUT_S, caps: Caps | None = None
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
        found = get_clips(connection, page.clip_ids)
        # A clip that was erased a moment ago is left out.
        return FoundClips([found[clip_id] for clip_id in page.clip_ids if clip_id in found], page.next)


def get_clips(connection: Connection, clip_ids: Sequence[str]) -> dict[str, Clip]:
    """The clips with these ids, by id; ids without a clip are left out."""
    rows = connection.execute(select(*CLIP_COLUMNS).where(is_among(clips.c.id, clip_ids))).all()
    return {clip.id: clip for clip in clips_of(connection, rows)}
