"""Handlers for the events of the outbox."""

from __future__ import annotations

from collections.abc import Mapping

from storage import outbox
from storage.database import Connection
from storage.labels import jobs as label_jobs
from storage.likeness import jobs as vector_jobs
from storage.outbox import Handler, OutboxEvent
from triggers.likeness.version import EMBEDDING_ID

AUTO_LABEL_TASK = "auto"
"""The task of the label job that every ready clip gets."""


def queue_labeling(connection: Connection, event: OutboxEvent) -> None:
    """Create one label job of the task `auto` for a clip that became ready, however often the event is handled."""
    label_jobs.ensure(connection, event.payload["clip_id"], AUTO_LABEL_TASK)


def queue_vector(connection: Connection, event: OutboxEvent) -> None:
    """Let the likeness stage write the vector of a clip that became ready, or became so again by a newer extractor."""
    vector_jobs.queue(connection, event.payload["clip_id"], EMBEDDING_ID)


def on_ready(connection: Connection, event: OutboxEvent) -> None:
    """Everything that follows when a clip became ready."""
    queue_vector(connection, event)
    queue_labeling(connection, event)


HANDLERS: Mapping[str, Handler] = {outbox.CLIP_READY: on_ready}


def dispatch(connection: Connection, seen: list[OutboxEvent] | None = None) -> int:
    """Handle a batch of unsent events, and add them to `seen`; returns how many. See `outbox.dispatch`."""
    return outbox.dispatch(connection, HANDLERS, seen=seen)
