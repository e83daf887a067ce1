"""U+0000 in the document: no string that the API takes may contain it, as PostgreSQL cannot store it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

WITHOUT_NUL = r"^[^\u0000]*$"
_SAID_OTHERWISE = ("pattern", "enum", "const", "format")


def forbid_nul(schema: Any) -> None:
    """Add the pattern to every string of a schema, in place, unless something else limits its characters."""
    for part in _parts(schema):
        if part.get("type") == "string" and not any(word in part for word in _SAID_OTHERWISE):
            part["pattern"] = WITHOUT_NUL
        if isinstance(part.get("additionalProperties"), dict) and "propertyNames" not in part:
            part["propertyNames"] = {"pattern": WITHOUT_NUL}


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object of a schema, from the inside out."""
    members = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for member in members:
        yield from _parts(member)
    if isinstance(schema, dict):
        yield schema
