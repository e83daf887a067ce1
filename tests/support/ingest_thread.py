"""Ingest at work in a thread of the test, which may not end by itself; and what it says of its readiness."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ingest import worker
from ingest.readiness import Readiness
from storage.settings import Settings
from triggers.errors import Unreachable


@contextmanager
def ingesting(settings: Settings) -> Iterator[Readiness]:
    """Ingest with these settings; yields its readiness."""
    stop, readiness = threading.Event(), Readiness()
    thread = threading.Thread(target=worker.run, args=(settings, stop, readiness))
    thread.start()
    try:
        yield readiness
        assert thread.is_alive(), "ingest ended by itself"
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def problem(readiness: Readiness) -> str:
    """What does not work; empty when all does."""
    try:
        readiness.check()
    except Unreachable as error:
        return error.message
    return ""
