"""Reads CQL2 text or JSON as nodes, within limits on length, nesting and size."""

from __future__ import annotations

import json
from typing import Any

from storage.clips.cql2.nodes import Node, Number, at, read_number
from storage.clips.cql2.text import parse
from storage.clips.cql2.text.parser import MAX_DEPTH
from storage.jsonb import storable
from triggers.errors import InvalidInput

MAX_BYTES = 10_000
MAX_NODES = 200
MAX_ITEMS = 1000


def parse_text(source: str) -> Any:
    """The nodes of a CQL2 text."""
    _require_size(source)
    return bounded(parse(source))


def parse_written(source: str) -> Any:
    """The nodes of a CQL2 text in which numbers may have units, and times may be relative to `now`."""
    _require_size(source)
    return bounded(parse(source, units=True))


def parse_json(source: str, *, max_bytes: int | None = MAX_BYTES) -> Any:
    """The nodes of a CQL2 JSON document; `max_bytes` is None for one whose length is bounded already."""
    if max_bytes is not None:
        _require_size(source)
    try:
        tree = json.loads(
            source,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
            object_pairs_hook=_Members,
        )
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise InvalidInput(
            f"the filter is not JSON: {error}", remedy="send JSON, or add filter-lang=cql2-text"
        ) from error
    return _with_places(bounded(tree), "")


def _require_size(source: str) -> None:
    size_bytes = len(source.encode("utf-8", "surrogatepass"))
    if size_bytes > MAX_BYTES:
        raise InvalidInput(
            f"the filter has {size_bytes} bytes, more than {MAX_BYTES}", remedy="split it into several searches"
        )


class _Number(str):
    """A number of a JSON document as it is written, until its place is known."""

    __slots__ = ()

    def read(self) -> Number:
        """The number; InvalidInput for what is not a number, or that no property can be."""
        if not self[-1].isdigit():
            raise InvalidInput(f"the filter is not JSON: {self} is not a number", remedy="write a finite number")
        return read_number(self)


class _Members(dict[str, Any]):
    """The members of a JSON object; `twice` is a name that it has more than once, so that one would be ignored."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs] if len(self) < len(pairs) else []
        self.twice = next((name for name in names if names.count(name) > 1), None)

    def require_once(self) -> None:
        """InvalidInput when a member is there twice, and for names that are not text."""
        if self.twice is not None:
            raise InvalidInput(
                f"an object of the filter has {self.twice[:60]!r} twice", remedy="write each member once"
            )
        storable(list(self), what="the filter")


TOP = "at its top"
"""The place of the object that a whole filter is."""


def _with_places(tree: Any, path: str) -> Any:
    """The tree with a Node for each object, whose place is its path: `args[1].args[0]`."""
    place = path or TOP
    with at(Node({}, place)):
        match tree:
            case _Members():
                tree.require_once()
                inner = f"{path}." if path else ""
                return Node({name: _with_places(value, inner + name[:60]) for name, value in tree.items()}, place)
            case list():
                return [_with_places(value, f"{path}[{index}]") for index, value in enumerate(tree)]
            case _Number():
                return tree.read()
            case str():
                return storable(tree, what="the filter")
    return tree


def _too_deep() -> InvalidInput:
    # An operator and its arguments are two levels of JSON.
    return InvalidInput(f"the filter is nested deeper than {MAX_DEPTH}", remedy="split it into several searches")


def bounded(tree: Any) -> Any:
    """The tree itself; InvalidInput when it is too deep or too large. Looks at no more than MAX_NODES objects."""
    nodes = 0
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > 2 * MAX_DEPTH:
            raise _too_deep()
        if isinstance(node, dict):
            nodes += 1
            if nodes > MAX_NODES:
                raise InvalidInput(
                    f"the filter has more than {MAX_NODES} operators and properties",
                    remedy="write x IN (...) for lists",
                )
            waiting += [(value, depth + 1) for value in node.values()]
        elif isinstance(node, list):
            if len(node) > MAX_ITEMS:
                raise InvalidInput(
                    f"the filter has a list of {len(node)} items, more than {MAX_ITEMS}",
                    remedy="split it into several searches",
                )
            waiting += [(value, depth + 1) for value in node]
    return tree
