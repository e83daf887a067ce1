"""The outbox: events written with the change they tell of, and handed on afterwards, at least once.

Events are read by `sent_at IS NULL ... FOR UPDATE SKIP LOCKED`, never by `id > last`: numbers of a sequence commit
out of order, and such a reader skips some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.tables import label_jobs, outbox

CLIPS = "clips"
"""The topic of a clip's life; `payload["event"]` is one of the events below."""
CLIP_STORED = "clip.stored"
CLIP_READY = "clip.ready"
CLIP_DAMAGED = "clip.damaged"
AUTO_LABEL_TASK = "auto"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the outbox."""

    id: int
    topic: str
    key: str
    payload: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What happened; empty when the payload does not say."""
        return str(self.payload.get("event", ""))


Handler = Callable[[Connection, Event], None]
"""What an event leads to, written in the transaction that marks the event as sent."""


def add(connection: Connection, topic: str, key: str, payload: Mapping[str, Any]) -> bool:
    """Write an event; False, and nothing changes, when the topic has one under this key."""
    written = connection.execute(
        insert(outbox)
        .values(topic=topic, key=key, payload=dict(payload))
        .on_conflict_do_nothing(index_elements=[outbox.c.topic, outbox.c.key])
        .returning(outbox.c.id)
    )
    return written.one_or_none() is not None


def add_clip_event(connection: Connection, event: str, clip_id: str, **details: Any) -> bool:
    """Write an event of a clip's life; the same event with the same version is written once."""
    version = details.get("extractor_version")
    key = f"{event}:{clip_id}" if version is None else f"{event}:{clip_id}:{version}"
    return add(connection, CLIPS, key, {"event": event, "clip_id": clip_id, **details})


def dispatch(connection: Connection, *, limit: int = 100, handlers: Mapping[str, Handler] | None = None) -> int:
    """Handle at most `limit` unsent events and mark them as sent, all in this transaction; returns how many.

    Several may dispatch at once, each takes others. An event that nobody handles is marked as sent.
    """
    taken = connection.execute(
        select(outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.payload)
        .where(outbox.c.sent_at.is_(None))
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    by_event = HANDLERS if handlers is None else handlers
    for row in taken:
        event = Event(*row)
        handler = by_event.get(event.name)
        if handler is not None:
            handler(connection, event)
    if taken:
        ids = [row.id for row in taken]
        connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(sent_at=func.now()))
    return len(taken)


def unsent(connection: Connection) -> int:
    """How many events wait."""
    return connection.execute(select(func.count()).where(outbox.c.sent_at.is_(None))).scalar_one()


def queue_labeling(connection: Connection, event: Event) -> None:
    """A clip that became ready gets one label job of the task `auto`, however often the event is handled."""
    connection.execute(
        insert(label_jobs)
        .values(clip_id=event.payload["clip_id"], task=AUTO_LABEL_TASK)
        .on_conflict_do_nothing(index_elements=[label_jobs.c.clip_id, label_jobs.c.task])
    )


HANDLERS: Mapping[str, Handler] = {CLIP_READY: queue_labeling}
