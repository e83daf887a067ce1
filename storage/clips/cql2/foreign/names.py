"""Filters of others: their names of properties are translated, and what is asked of a name that nothing has is unknown.

Our own filters refuse such a name, as it is probably misspelt. Catalogs of others have other properties: a client asks
all of them the same, and expects `eo:cloud_cover < 10` to find nothing here, not to be refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from storage.clips.cql2.nodes import Node

Names: TypeAlias = Callable[[str], str | None]
"""Our name of a property that others name so; None when there is none."""


def translated(node: Any, names: Names, *, negated: bool = False) -> Any:
    """A predicate's node with our names, as true or false where a name that nothing has decides it.

    Only clips for which a whole filter is true are found, so what is unknown can be replaced without a change: by
    false, or, within an odd number of NOTs (`negated`), by true. `IS NULL` of an unknown name is true.
    """
    match node:
        case {"op": str(operator), "args": [*arguments]}:
            return _combined(node, operator.lower(), arguments, names, negated=negated)
        case {"property": str()} if asks_for_unknown(node, names):
            return negated
    return renamed(node, names)


def _combined(node: Any, operator: str, arguments: list[Any], names: Names, *, negated: bool) -> Any:
    if operator in ("and", "or"):
        return _junction(node, [translated(member, names, negated=negated) for member in arguments], operator)
    if operator in ("not", "fire") and len(arguments) == 1:
        inner = translated(arguments[0], names, negated=negated != (operator == "not"))
        if isinstance(inner, bool) and not isinstance(arguments[0], bool):
            return inner != (operator == "not")
        return _with(node, args=[inner])
    if asks_for_unknown(node, names):
        return True if operator == "isnull" else negated
    return renamed(node, names)


def _junction(node: Any, members: list[Any], operator: str) -> Any:
    """AND or OR of members, without those that do not change it."""
    decisive = operator == "or"
    if any(member is decisive for member in members):
        return decisive
    asked = [member for member in members if not isinstance(member, bool)]
    if len(asked) == 1:
        return asked[0]
    return _with(node, args=asked) if asked or not members else not decisive


def asks_for_unknown(node: Any, names: Names) -> bool:
    """Whether a name that nothing has is anywhere in a node."""
    match node:
        case {"property": str(name)}:
            return names(name) is None
        case dict():
            return any(asks_for_unknown(value, names) for value in node.values())
        case list():
            return any(asks_for_unknown(value, names) for value in node)
    return False


def renamed(node: Any, names: Names) -> Any:
    """A leaf or an operand with our names; those that there are not stay, to be refused by the parser."""
    match node:
        case {"property": str(name)}:
            return _with(node, property=names(name) or name)
        case {"op": str(operator), "args": [value, [low, high]]} if operator.lower() == "between":
            # as drafts before CQL2 1.0 had it, and clients still send it
            return renamed(_with(node, args=[value, low, high]), names)
        case dict():
            return _with(node, **{key: renamed(value, names) for key, value in node.items()})
        case list():
            return [renamed(value, names) for value in node]
    return node


def _with(node: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The object with other members, at the same place of the source."""
    changed = {**node, **members}
    return Node(changed, node.place, quoted=node.quoted) if isinstance(node, Node) else changed
