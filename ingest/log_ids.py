"""Ids of log lines: the request, vehicle, upload and clip that a line is about, bound where the work is done.

They are bound to the context of a task or thread, so that code that logs need not be told them. Libraries
that log meanwhile have them on their lines, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

NAMES = ("request", "vehicle", "upload", "clip")
"""The ids that a line may have, in the order in which it shows them."""
_NOW: ContextVar[Mapping[str, str]] = ContextVar("log_ids", default=MappingProxyType({}))


def ids() -> Mapping[str, str]:
    """The ids of what is at work in this context, by NAMES."""
    return _NOW.get()


@contextmanager
def about(**known: str) -> Iterator[None]:
    """Meanwhile, lines are also about these; what is noted inside is forgotten at the end."""
    token = _NOW.set({**_NOW.get(), **known})
    try:
        yield
    finally:
        _NOW.reset(token)


def note(**known: str) -> None:
    """From now on, lines of this context are also about these, until the `about` around it ends."""
    _NOW.set({**_NOW.get(), **known})
