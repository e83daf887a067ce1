"""Checks query parameters: unknown and repeated names are refused, not ignored."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from starlette.datastructures import QueryParams

from triggers.errors import InvalidInput

MAX_SHOWN = 64
"""Characters of an unknown name that an error message repeats."""


def check_query(sent: QueryParams, known: Collection[str]) -> None:
    """InvalidInput for the first parameter that repeats or is not in `known`, suggesting the nearest known names."""
    seen: set[str] = set()
    for name, _value in sent.multi_items():
        if name not in known:
            raise InvalidInput(f"unknown query parameter {name[:MAX_SHOWN]!r}", remedy=_remedy(name, known))
        if name in seen:
            raise InvalidInput(f"the query parameter {name!r} is sent twice", remedy="send it once")
        seen.add(name)


def _remedy(name: str, known: Collection[str]) -> str:
    if not known:
        return "this address takes no query parameters"
    nearest = get_close_matches(name[:MAX_SHOWN], known, n=3)
    if nearest:
        return f"did you mean {' or '.join(nearest)}?"
    return f"the known parameters are {', '.join(sorted(known))}"
