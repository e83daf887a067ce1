"""Filters of clips as people write them at a command line: with units, and with times relative to now."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from fleet_api.client import Client


@overload
def translated(client: Client, written: str) -> str: ...
@overload
def translated(client: Client, written: str | None) -> str | None: ...
def translated(client: Client, written: str | None) -> str | None:
    """The CQL2 text that a written filter stands for now; None for none. Every command that takes a filter asks here.

    InvalidInput for what is not understood in it.
    """
    return None if written is None else client.clips.translate(written)
