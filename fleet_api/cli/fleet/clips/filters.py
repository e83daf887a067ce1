"""Filters of clips as people write them at a command line: with units, and with times relative to now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from fleet_api.client import Client


Note = Callable[[str], None]


@overload
def translated(client: Client, written: str, *, note: Note = ...) -> str: ...
@overload
def translated(client: Client, written: str | None, *, note: Note = ...) -> str | None: ...
def translated(client: Client, written: str | None, *, note: Note = lambda _: None) -> str | None:
    """The CQL2 text that a written filter stands for now; None for none. Every command that takes a filter asks here.

    `note` is told which of its conditions have no index. InvalidInput for what is not understood in it.
    """
    return None if written is None else client.clips.translate(written, note=note)
