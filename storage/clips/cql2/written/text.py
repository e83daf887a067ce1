"""Nodes as CQL2 text, which reads back as the same nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from storage.clips.cql2.nodes import Number, is_number
from storage.clips.cql2.text import is_reserved

_NAME = re.compile(r"[^\W\d]\w*(?:[.:]\w+)*")
_INFIX = ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "^", "div", "like")
_GEOMETRIES = {
    "Point": "POINT",
    "LineString": "LINESTRING",
    "Polygon": "POLYGON",
    "MultiPoint": "MULTIPOINT",
    "MultiLineString": "MULTILINESTRING",
    "MultiPolygon": "MULTIPOLYGON",
}


def as_text(node: Any) -> str:
    """The CQL2 text of a node.

    >>> as_text({"op": "and", "args": [{"property": "a"}, {"op": "=", "args": [{"property": "b"}, "it's"]}]})
    "a AND b = 'it''s'"
    """
    text = _text(node)
    return text[1:-1] if isinstance(node, dict) and node.get("op") in ("and", "or", "not") else text


def _text(node: Any) -> str:
    if node is None or isinstance(node, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[node]
    if isinstance(node, str):
        return _quoted(node)
    if isinstance(node, list):
        return f"({', '.join(map(_text, node))})"
    return _number(node) if is_number(node) else _object(node)


def _object(node: Mapping[str, Any]) -> str:
    match node:
        case {"property": str(name)}:
            plain = _NAME.fullmatch(name) and not is_reserved(name)
            return name if plain else '"' + name.replace('"', '""') + '"'
        case {"op": str(name), "args": list(arguments)}:
            return _operation(name, arguments)
        case {"interval": list(ends)}:
            return f"INTERVAL({', '.join(map(_end, ends))})"
        case {"bbox": list(numbers)}:
            return f"BBOX({', '.join(map(_text, numbers))})"
        case {"type": "GeometryCollection", "geometries": list(members)}:
            return f"GEOMETRYCOLLECTION({', '.join(map(_text, members))})"
        case {"type": str(kind), "coordinates": list(coordinates)}:
            points = [coordinates] if kind == "Point" else coordinates
            if kind == "MultiPoint":
                points = [[point] for point in points]
            return _GEOMETRIES[kind] + _coordinates(points)
    ((word, value),) = node.items()  # a date or a timestamp
    return f"{word.upper()}({', '.join(map(_text, value if isinstance(value, list) else [value]))})"


def _operation(name: str, arguments: list[Any]) -> str:
    texts = [_text(argument) for argument in arguments]
    match name.lower():
        case "and" | "or" as word:
            return "(" + f" {word.upper()} ".join(texts) + ")"
        case "not":
            return f"(NOT {texts[0]})"
        case "between":
            return f"{texts[0]} BETWEEN {texts[1]} AND {texts[2]}"
        case "in":
            return f"{texts[0]} IN {texts[1]}"
        case "isnull":
            return f"{texts[0]} IS NULL"
        case word if word in _INFIX and len(texts) == 2:
            joined = f"{texts[0]} {word.upper()} {texts[1]}"
            return f"({joined})" if word in ("+", "-", "*", "/", "%", "^", "div") else joined
    return f"{name}({', '.join(texts)})"


def _end(node: Any) -> str:
    """An end of an interval, where times are texts."""
    match node:
        case {"timestamp": str(text)} | {"date": str(text)}:
            return _quoted(text)
    return _text(node)


def _coordinates(items: list[Any]) -> str:
    return (
        "("
        + ", ".join(_coordinates(item) if _is_nested(item) else " ".join(map(_number, item)) for item in items)
        + ")"
    )


def _is_nested(item: list[Any]) -> bool:
    return bool(item) and isinstance(item[0], list)


def _number(number: Number) -> str:
    return str(number)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
