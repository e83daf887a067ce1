"""The tree of a trigger file as expansion walks it: the fields of a node in which other nodes may stand."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

_PARTS: dict[type, tuple[str, ...]] = {}


def parts(node: Any) -> tuple[str, ...]:
    """The names of a node's fields in which parts of the tree may stand."""
    kind = type(node)
    if kind not in _PARTS:
        _PARTS[kind] = tuple(each.name for each in fields(kind) if each.name not in ("span", "depth"))
    return _PARTS[kind]
