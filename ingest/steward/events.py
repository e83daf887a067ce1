"""Handlers for the events of the outbox."""

from __future__ import annotations

from collections.abc import Mapping

from storage import outbox
from storage.database import Connection
from storage.labels import jobs as label_jobs
from storage.outbox import Handler, OutboxEvent

AUTO_LABEL_TASK = "auto"
"""The task of the label job that every ready clip gets."""


def queue_labeling(connection: Connection, event: OutboxEvent) -> None:
    """Create one label job of the task `auto` for a clip that became ready, however often the event is handled."""
    label_jobs.ensure(connection, event.payload["clip_id"], AUTO_LABEL_TASK)


HANDLERS: Mapping[str, Handler] = {outbox.CLIP_READY: queue_labeling}


def dispatch(connection: Connection) -> int:
    """Handle a batch of unsent events; returns how many. See `outbox.dispatch`."""
    return outbox.dispatch(connection, HANDLERS)
