"""Campaigns as collections of clips: what they were approved for, since when, and the extent of what they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from storage.clips.records import Box
from storage.tables import campaign_versions, clip_fires, clips
from triggers.contracts.campaign import RUNNING

_c = campaign_versions.c


@dataclass(frozen=True, slots=True)
class CollectedCampaign:
    """A campaign that vehicles have had: the settings of its running version, else of the newest; since when."""

    campaign: str
    settings: Mapping[str, Any]
    since: datetime


@dataclass(frozen=True, slots=True)
class Extent:
    """The time and the box around all clips of a campaign; no box where no clip has a position."""

    start_ns: int
    end_ns: int
    box: Box | None


def list_collected(connection: Connection, *, after: str = "", limit: int) -> list[CollectedCampaign]:
    """At most `limit` campaigns that vehicles have had, by name, for names that sort after `after`."""
    rows = connection.execute(_collected(_c.campaign > after).limit(limit))
    return [CollectedCampaign(*row) for row in rows]


def find_collected(connection: Connection, campaign: str) -> CollectedCampaign | None:
    """The campaign if vehicles have had it."""
    row = connection.execute(_collected(_c.campaign == campaign)).one_or_none()
    return None if row is None else CollectedCampaign(*row)


def _collected(which: ColumnElement[bool]) -> Select[Any]:
    since = func.min(func.coalesce(_c.activated_at, _c.created_at)).over(partition_by=_c.campaign)
    return (
        select(_c.campaign, _c.settings, since)
        .where(which, _c.bundle_digest.is_not(None))
        .ext(distinct_on(_c.campaign))
        .order_by(_c.campaign, _c.state.in_(RUNNING).desc(), _c.version.desc())
    )


def extents_of(connection: Connection, campaigns: Sequence[str]) -> dict[str, Extent]:
    """The extents of campaigns, by name; those without a clip are left out. Reads every clip of theirs.

    A box goes all around where one of a clip crosses the antimeridian: the smallest may be elsewhere.
    """
    corner = clips.c
    crosses = func.bool_or(corner.min_longitude > corner.max_longitude)
    rows = connection.execute(
        select(
            clip_fires.c.campaign,
            func.min(corner.start_ns),
            func.max(corner.end_ns),
            crosses,
            func.min(corner.min_longitude),
            func.min(corner.min_latitude),
            func.max(corner.max_longitude),
            func.max(corner.max_latitude),
        )
        .where(and_(clip_fires.c.campaign.in_(campaigns), clip_fires.c.clip_id == corner.id))
        .group_by(clip_fires.c.campaign)
    )
    return {
        campaign: Extent(start_ns, end_ns, _box(around, corners))
        for campaign, start_ns, end_ns, around, *corners in rows
    }


def _box(goes_around: bool | None, corners: Sequence[float | None]) -> Box | None:
    west, south, east, north = corners
    if west is None or south is None or east is None or north is None:
        return None
    return (-180.0, south, 180.0, north) if goes_around else (west, south, east, north)
