"""Reads CQL2 text or JSON as plain JSON, within limits on length, nesting and size.

The text parser (package `cql2`) takes exponential time on deeply nested brackets, and overflows its stack on some
chains; text that could cause either is refused before the parser sees it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import cql2

from storage.jsonb import storable
from triggers.errors import InvalidInput

MAX_BYTES = 10_000
MAX_DEPTH = 50
MAX_TEXT_BRACKETS = 12
MAX_NODES = 200
MAX_ITEMS = 1000
MAX_INTEGER_BITS = 1023
"""JSON does not limit integers; larger ones than these do not fit into SQL's `float`."""
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_SIGNS = re.compile(r"[-+](?:\s*[-+]){3}")


def parse_text(source: str) -> Any:
    """The CQL2 JSON of a CQL2 text."""
    require_parsable(source)
    try:
        tree = cql2.parse_text(source).to_json()
    except (cql2.ParseError, ValueError) as error:
        raise InvalidInput(
            f"the filter is not CQL2 text: {_place(str(error))}",
            remedy="compare like campaign = 'x' AND vehicle.model IN ('a', 'b'); texts go in single quotes",
        ) from error
    return bounded(tree)


def parse_json(source: str) -> Any:
    """The plain JSON of a CQL2 JSON document."""
    _require_size(source)
    try:
        tree = json.loads(source, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"the filter is not JSON: {error}", remedy="send JSON, or add filter-lang=cql2-text"
        ) from error
    return bounded(tree)


def require_parsable(source: str) -> None:
    """InvalidInput for a text that the parser could take long over; takes time linear in its length."""
    _require_size(source)
    bare = _QUOTED.sub("''", source)
    _require_brackets(bare)
    if _SIGNS.search(bare):
        raise InvalidInput("the filter has several signs in a row", remedy="write a number with one sign")


def _require_size(source: str) -> None:
    size_bytes = len(source.encode("utf-8", "surrogatepass"))
    if size_bytes > MAX_BYTES:
        raise InvalidInput(f"the filter has {size_bytes} bytes, more than {MAX_BYTES}")
    storable(source, what="the filter")


def _require_brackets(bare: str) -> None:
    depth = 0
    for character in bare:
        depth += (character in "([") - (character in ")]")
        if depth > MAX_TEXT_BRACKETS:
            raise InvalidInput(
                f"the filter nests brackets deeper than {MAX_TEXT_BRACKETS}", remedy="send it as cql2-json"
            )
        if depth < 0:
            break
    if depth != 0:
        raise InvalidInput("the filter's brackets are not balanced")


def _place(message: str) -> str:
    """The parser's message in one line: where it stopped, and what it expected there."""
    lines = [line.strip(" |") for line in message.splitlines()]
    position = next((line.removeprefix("-->").strip() for line in lines if line.startswith("-->")), "")
    expected = next((line.removeprefix("=").strip() for line in lines if line.startswith("=")), "")
    if not position:
        return (lines[0] if lines else "")[:300]
    line, _, column = position.partition(":")
    return f"line {line}, column {column}: {expected[:200]}"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def bounded(tree: Any) -> Any:
    """The tree itself; InvalidInput when it is too deep or too large. Looks at no more than MAX_NODES objects."""
    nodes = 0
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > 2 * MAX_DEPTH:  # an operator and its arguments are two levels of JSON
            raise InvalidInput(f"the filter is nested deeper than {MAX_DEPTH}")
        if isinstance(node, dict):
            nodes += 1
            if nodes > MAX_NODES:
                raise InvalidInput(f"the filter has more than {MAX_NODES} operators and properties")
            waiting += [(value, depth + 1) for value in node.values()]
        elif isinstance(node, list):
            if len(node) > MAX_ITEMS:
                raise InvalidInput(f"the filter has a list of {len(node)} items, more than {MAX_ITEMS}")
            waiting += [(value, depth + 1) for value in node]
        elif isinstance(node, int) and node.bit_length() > MAX_INTEGER_BITS:
            raise InvalidInput("the filter has a number larger than any property can be")
    return storable(tree, what="the filter")
