"""The outbox: events are written together with the change they report, and dispatched afterwards, at least once.

Events are read by `sent_at IS NULL ... FOR UPDATE SKIP LOCKED`, never by `id > last`: numbers of a sequence are
committed out of order, so such a reader would skip some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from storage.rows import insert_rows
from storage.tables import outbox

CLIPS = "clips"
"""The topic of a clip's life; `payload["event"]` is one of the events below."""
CLIP_STORED = "clip.stored"
CLIP_READY = "clip.ready"
CLIP_DAMAGED = "clip.damaged"
CLIP_ERASED = "clip.erased"
AGAIN = "again"
"""Of the payload: whether the clip had been extracted before, by an older version of the extractor."""


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One event of the outbox."""

    id: int
    topic: str
    key: str
    payload: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What happened; empty when the payload does not say."""
        return str(self.payload.get("event", ""))


Handler = Callable[[Connection, OutboxEvent], None]
"""What an event leads to, written in the transaction that marks the event as sent."""


def add(connection: Connection, topic: str, key: str, payload: Mapping[str, Any]) -> bool:
    """Write an event; False, and nothing changes, when the topic has one under this key."""
    written = connection.execute(
        _once(insert(outbox).values(topic=topic, key=key, payload=dict(payload))).returning(outbox.c.id)
    )
    return written.one_or_none() is not None


def add_clip_event(connection: Connection, event: str, clip_id: str, **details: Any) -> bool:
    """Write an event of a clip's life; the same event with the same version is written once."""
    version = details.get("extractor_version")
    key = f"{event}:{clip_id}" if version is None else f"{event}:{clip_id}:{version}"
    return add(connection, CLIPS, key, {"event": event, "clip_id": clip_id, **details})


def add_clip_events(connection: Connection, event: str, clip_ids: Sequence[str]) -> None:
    """Write the same event of many clips' lives, for each as `add_clip_event` does."""
    rows = [
        {"topic": CLIPS, "key": f"{event}:{clip_id}", "payload": {"event": event, "clip_id": clip_id}}
        for clip_id in clip_ids
    ]
    insert_rows(connection, outbox, rows, _once)


def _once(insertion: Insert) -> Insert:
    return insertion.on_conflict_do_nothing(index_elements=[outbox.c.topic, outbox.c.key])


def dispatch(
    connection: Connection,
    handlers: Mapping[str, Handler],
    *,
    limit: int = 100,
    seen: list[OutboxEvent] | None = None,
) -> int:
    """Handle at most `limit` unsent events and mark them as sent, all in this transaction; returns how many.

    `handlers` are by the event's name; an event without one is marked as sent. Several processes may dispatch at once:
    each takes different events. All of them are added to `seen`.
    """
    taken = connection.execute(
        select(outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.payload)
        .where(outbox.c.sent_at.is_(None))
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in taken:
        event = OutboxEvent(*row)
        if seen is not None:
            seen.append(event)
        handler = handlers.get(event.name)
        if handler is not None:
            handler(connection, event)
    if taken:
        ids = [row.id for row in taken]
        connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(sent_at=func.now()))
    return len(taken)


def unsent(connection: Connection) -> int:
    """How many events wait."""
    return connection.execute(select(func.count()).where(outbox.c.sent_at.is_(None))).scalar_one()
