"""The clips that a scan reads, page by page: where their extracted signals are, and which campaigns they are of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, tuple_

from storage.clips.facets.counting import count_up_to
from storage.clips.plan import settings
from storage.clips.properties import known_names
from storage.clips.query import ClipQuery
from storage.statements.time_limit import time_limit
from storage.tables import campaign_versions, clip_assets, clip_fires, clips
from triggers.contracts.api.clips import SIGNALS_ASSET

PAGE_TIMEOUT_S = 30.0
COUNT_TIMEOUT_S = 15.0
_NARROWER = "narrow the filter, for instance by start or vehicle"

Version = tuple[str, int]
"""A campaign's name and a number of its versions."""


@dataclass(frozen=True, slots=True)
class ScannedClip:
    """A clip to scan: its extracted signals (None: none), and its fires' campaign versions, the earliest first."""

    id: str
    state: str
    signals_key: str | None
    signals_bytes: int
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class ScanPage:
    """A page of clips, and the token of the next one (None: this was the last)."""

    clips: list[ScannedClip]
    next: str | None


def read_page(connection: Connection, query: ClipQuery) -> ScanPage:
    """The page of clips that a query asks for; errors as in `storage.clips.search.search`."""
    with time_limit(connection, PAGE_TIMEOUT_S, what="a page of the scan", remedy=_NARROWER):
        known_names.require_known(connection, query.properties())
        page = query.page_of(connection)
        ids = page.clip_ids
        states, assets, versions = _states(connection, ids), _signals(connection, ids), _versions(connection, ids)
    found = []
    for clip_id in ids:
        if clip_id in states:  # else it was erased a moment ago
            key, size_bytes = assets.get(clip_id, (None, 0))
            found.append(ScannedClip(clip_id, states[clip_id], key, size_bytes, tuple(versions.get(clip_id, ()))))
    return ScanPage(found, page.next)


def count(connection: Connection, query: ClipQuery, *, at_most: int) -> int:
    """How many clips the query's filter admits, counted up to `at_most`; Overloaded when that takes too long."""
    with time_limit(connection, COUNT_TIMEOUT_S, what="counting the clips", remedy=_NARROWER):
        settings.without_jit(connection)
        return count_up_to(connection, query.where(), at_most)


def _states(connection: Connection, clip_ids: Collection[str]) -> dict[str, str]:
    rows = connection.execute(select(clips.c.id, clips.c.state).where(clips.c.id.in_(clip_ids)))
    return {row.id: row.state for row in rows}


def _signals(connection: Connection, clip_ids: Collection[str]) -> dict[str, tuple[str, int]]:
    asset = clip_assets.c
    rows = connection.execute(
        select(asset.clip_id, asset.object_key, asset.size_bytes).where(
            asset.clip_id.in_(clip_ids), asset.name == SIGNALS_ASSET
        )
    )
    return {clip_id: (key, size_bytes) for clip_id, key, size_bytes in rows}


def _versions(connection: Connection, clip_ids: Collection[str]) -> dict[str, list[Version]]:
    link = clip_fires.c
    rows = connection.execute(
        select(link.clip_id, link.campaign, link.version)
        .where(link.clip_id.in_(clip_ids))
        .group_by(link.clip_id, link.campaign, link.version)
        .order_by(func.min(link.t_ns), link.campaign, link.version)
    )
    by_clip: dict[str, list[Version]] = {}
    for clip_id, campaign, version in rows:
        by_clip.setdefault(clip_id, []).append((campaign, version))
    return by_clip


def catalogs(connection: Connection, versions: Collection[Version]) -> dict[Version, str]:
    """The signal catalogs of campaign versions, as YAML."""
    if not versions:
        return {}
    known = campaign_versions.c
    rows = connection.execute(
        select(known.campaign, known.version, known.signal_catalog).where(
            tuple_(known.campaign, known.version).in_(list(versions))
        )
    )
    return {(campaign, version): text for campaign, version, text in rows}


def newest_versions(connection: Connection, limit: int) -> list[Version]:
    """The campaign versions that were written last."""
    known = campaign_versions.c
    rows = connection.execute(select(known.campaign, known.version).order_by(known.created_at.desc()).limit(limit))
    return [(campaign, version) for campaign, version in rows]
