"""Cancelling a long start of the server, such as a recovery, when its owner is told to stop."""

from __future__ import annotations

from collections.abc import Callable

from triggers.errors import LongtailError

Cancelled = Callable[[], bool]
"""Asked now and then while a start waits; True ends it."""


class StartCancelled(LongtailError):
    """The start was cancelled on request; the next one continues where this one stopped."""

    code = "start_cancelled"


def never() -> bool:
    """Never cancelled."""
    return False


def give_up_if(cancelled: Cancelled, what: str) -> None:
    """StartCancelled, naming what was going on, when it is true."""
    if cancelled():
        raise StartCancelled(f"told to stop while {what}", remedy="start again to let it finish")
