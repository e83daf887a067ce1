"""What events of the outbox lead to."""

from __future__ import annotations

from collections.abc import Mapping

from storage import outbox
from storage.database import Connection
from storage.labels import jobs as label_jobs
from storage.outbox import Handler, OutboxEvent

AUTO_LABEL_TASK = "auto"
"""The task of the label job that every ready clip gets."""


def queue_labeling(connection: Connection, event: OutboxEvent) -> None:
    """A clip that became ready gets one label job of the task `auto`, however often the event is handled."""
    label_jobs.ensure(connection, event.payload["clip_id"], AUTO_LABEL_TASK)


HANDLERS: Mapping[str, Handler] = {outbox.CLIP_READY: queue_labeling}


def dispatch(connection: Connection) -> int:
    """Handle unsent events, a batch; returns how many. See `outbox.dispatch`."""
    return outbox.dispatch(connection, HANDLERS)
