"""The clips that a scan found, page by page, with what a list says of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from storage.tables import clips, scan_hits


@dataclass(frozen=True, slots=True)
class FoundClip:
    """A clip in which the condition became true; `t_ns` are the first of its instants."""

    number: int
    clip_id: str
    vehicle_id: str
    start_ns: int
    t_ns: list[int]
    instants: int


def page(connection: Connection, scan_id: str, *, position: int, limit: int) -> list[FoundClip]:
    """At most `limit` hits of a scan from the number `position` on, in their order."""
    hit = scan_hits.c
    rows = connection.execute(
        select(hit.number, hit.clip_id, clips.c.vehicle_id, clips.c.start_ns, hit.t_ns, hit.instants)
        .where(hit.scan_id == scan_id, hit.number >= position, clips.c.id == hit.clip_id)
        .order_by(hit.number)
        .limit(limit)
    )
    return [FoundClip(*row) for row in rows]
