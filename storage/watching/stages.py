"""How long clips took from one stage to the next, read when the event of a stage is dispatched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from storage.outbox import AGAIN, CLIP_READY, CLIP_STORED, OutboxEvent

_STORED = text("""
    SELECT c.id, u.network, f.campaign, f.charged_bytes,
        extract(epoch FROM u.created_at) - f.t_ns / 1000000000.0 AS announced_s,
        extract(epoch FROM c.stored_at - u.created_at) AS stored_s
    FROM clips c JOIN uploads u ON u.id = c.upload_id JOIN clip_fires f ON f.clip_id = c.id
    WHERE c.id = ANY (CAST(:clips AS text[]))
""")
_READY = text("""
    SELECT extract(epoch FROM ready_at - stored_at) AS ready_s
    FROM clips WHERE id = ANY (CAST(:clips AS text[])) AND ready_at IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class Charge:
    """Bytes of stored clips that one campaign was charged, by the network that they came over."""

    campaign: str
    network: str
    bytes: int


@dataclass(slots=True)
class Stages:
    """Durations in seconds, by stage, and what was charged."""

    seconds: list[tuple[str, float]] = field(default_factory=list)
    """`announced` is from the first fire to the announcement (the vehicle's clock begins it, so none below 0),
    `stored` from there to the catalog, `ready` from there to the end of extraction."""
    charges: list[Charge] = field(default_factory=list)


def stages_of(connection: Connection, events: Sequence[OutboxEvent]) -> Stages:
    """What the events say of clips that were stored or became ready. Of an erased clip nothing is known any more, and
    clips that a newer extractor reads again, months later, say nothing of how long clips take."""
    found = Stages()
    stored = _clips(events, CLIP_STORED)
    if stored:
        first: dict[str, tuple[float, float]] = {}
        for row in connection.execute(_STORED, {"clips": stored}):
            found.charges.append(Charge(row.campaign, row.network, int(row.charged_bytes)))
            longest_s = max(float(row.announced_s), first.get(row.id, (0.0, 0.0))[0])
            first[row.id] = longest_s, float(row.stored_s)
        for announced_s, stored_s in first.values():
            found.seconds += [("announced", announced_s), ("stored", max(0.0, stored_s))]
    ready = _clips([event for event in events if not event.payload.get(AGAIN)], CLIP_READY)
    if ready:
        found.seconds += [
            ("ready", max(0.0, float(row.ready_s))) for row in connection.execute(_READY, {"clips": ready})
        ]
    return found


def _clips(events: Sequence[OutboxEvent], name: str) -> list[str]:
    return [str(event.payload["clip_id"]) for event in events if event.name == name]
