"""Whether a filter of others is valid, whatever it is asked of: a name that nothing has excuses no mistake.

What is asked of such a name is checked as if it were a property of ours: one of several stand-ins, as nobody knows
what type the name has elsewhere.
"""

from __future__ import annotations

from typing import Any

from storage.clips.cql2.foreign.names import Names, asks_for_unknown, renamed
from storage.clips.cql2.parse import parse_predicate
from triggers.errors import InvalidInput

_OF_ANY_TYPE = ("vehicle.other", "start", "geometry", "other.max")
"""An attribute is a text, a number or a bool; only a statistic of a signal is converted to a unit."""
_STAND_INS = {"s_": ("geometry",), "t_": ("start",), "a_": ("tags",)}
"""By the first letters of an operator: the only type that it takes."""
_OF_PREDICATES = ("and", "or", "not", "fire")


def require_understood(node: Any, names: Names) -> None:
    """InvalidInput, with the place, for a filter with unknown names that would not be valid if they were known."""
    if asks_for_unknown(node, names):
        _require(node, names)


def _require(node: Any, names: Names) -> None:
    match node:
        case {"op": str(operator), "args": [_, *_] as members} if operator.lower() in _OF_PREDICATES:
            if operator.lower() in ("and", "or") or len(members) == 1:
                for member in members:
                    _require(member, names)
                return
    _require_leaf(node, names)


def _require_leaf(node: Any, names: Names) -> None:
    operator = node["op"].lower() if isinstance(node, dict) and isinstance(node.get("op"), str) else ""
    first: InvalidInput | None = None
    for stand_in in _STAND_INS.get(operator[:2], _OF_ANY_TYPE):
        try:
            parse_predicate(renamed(node, _with_stand_in(names, stand_in)))
        except InvalidInput as error:
            first = first or error
        else:
            return
    if first is not None:
        raise first


def _with_stand_in(names: Names, stand_in: str) -> Names:
    return lambda name: names(name) or stand_in
