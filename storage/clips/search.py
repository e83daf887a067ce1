"""Searching the catalog, one page of clips at a time.

A page continues after the sort key and id of the last clip before it, so clips that are added or removed in the
meantime neither repeat nor hide others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from storage.clips.cql2.absent import absent_names
from storage.clips.plan import Caps, Columns
from storage.clips.properties import known_names
from storage.clips.query import ClipQuery, FoundPage
from storage.clips.records import COLUMNS, SUMMARY, SUMMARY_WITHOUT_TRACK, Clip, ClipSummary, clip_of
from storage.statements.forms import Fixed
from storage.statements.time_limit import time_limit

SEARCH_TIMEOUT_S = 15.0
_COLUMNS = tuple(map(Fixed, COLUMNS))
_SUMMARY = tuple(map(Fixed, SUMMARY))
_SUMMARY_WITHOUT_TRACK = tuple(map(Fixed, SUMMARY_WITHOUT_TRACK))
_AFTER_POSITION = 2
"""Where the columns begin in the row of a clip on a page: after its sort key and id."""


@dataclass(frozen=True, slots=True)
class FoundClips:
    """A page of clips, and the token of the next one (None: this was the last)."""

    clips: list[Clip]
    next: str | None
    notes: tuple[str, ...] = ()
    """Of a search that finds nothing: the names in its filter that nothing has."""


@dataclass(frozen=True, slots=True)
class FoundSummaries:
    """A page of clips in short, and the token of the next one (None: this was the last)."""

    clips: list[ClipSummary]
    next: str | None


def search(
    connection: Connection, query: ClipQuery, *, timeout_s: float = SEARCH_TIMEOUT_S, caps: Caps | None = None
) -> FoundClips:
    """The page of clips that a query asks for.

    InvalidInput when it asks for a name that no clip has had, or would have to look at all clips of a large catalog;
    Overloaded when one of its statements takes longer than `timeout_s`.
    """
    with _limited(connection, query, timeout_s) as settings:
        page = _page(connection, query, settings, _COLUMNS, caps)
        if not page.clips and query.page.after is None and query.filter is not None:
            return FoundClips([], None, tuple(absent_names(connection, query.filter.tree)))
    return FoundClips([clip_of(clip.columns, _AFTER_POSITION) for clip in page.clips], page.next)


def search_summaries(connection: Connection, query: ClipQuery, *, with_tracks: bool) -> FoundSummaries:
    """The same page with each clip in short; errors as in `search`."""
    with _limited(connection, query, SEARCH_TIMEOUT_S) as settings:
        page = _page(connection, query, settings, _SUMMARY if with_tracks else _SUMMARY_WITHOUT_TRACK)
    return FoundSummaries([ClipSummary._make(clip.columns[_AFTER_POSITION:]) for clip in page.clips], page.next)


@contextmanager
def _limited(connection: Connection, query: ClipQuery, timeout_s: float) -> Iterator[Mapping[str, str]]:
    """With what the transaction is set to for the search, and with a time limit; what it is set to."""
    settings, narrower = query.first_settings(), "narrow it down, for instance by start or vehicle"
    with time_limit(connection, timeout_s, what="your search", remedy=narrower, also=settings):
        yield settings


def _page(
    connection: Connection, query: ClipQuery, settings: Mapping[str, str], columns: Columns, caps: Caps | None = None
) -> FoundPage:
    """The page with these columns, in a transaction with these settings."""
    known_names.require_known(connection, query.properties(), absent_is_null=query.absent_is_null)
    return query.page_of(connection, caps, set_to=settings, columns=columns)
