"""Prefixes that stand for the only id that begins with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from triggers.errors import InvalidInput

SHOWN_CANDIDATES = 5


def refuse_ambiguous(things: str, prefix: str, ids: Sequence[str]) -> NoReturn:
    """Raise InvalidInput, naming some of the ids that begin with `prefix`."""
    shown = ", ".join(sorted(ids)[:SHOWN_CANDIDATES]) + (" ..." if len(ids) > SHOWN_CANDIDATES else "")
    raise InvalidInput(f"several {things} have an id that begins with {prefix}: {shown}", remedy="give more of the id")
