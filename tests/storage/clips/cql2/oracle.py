"""What a filter means, a second time: Kleene's logic over clips as plain Python values, without SQL.

A filter is CQL2 JSON. The result is True, False, or None for unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

Truth = bool | None
DAY_NS = 86_400 * 10**9
SCOPES = {
    **dict.fromkeys(("campaign", "version", "trigger", "fire_time", "fire_time_ns"), "fires"),
    "tag": "tags",
    "label": "labels",
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Fire:
    """A fire of a clip."""

    campaign: str
    trigger: str
    t_ns: int


@dataclass(frozen=True)
class Record:
    """A clip."""

    vehicle: str
    state: str
    damage: str | None
    start_ns: int
    end_ns: int
    size_bytes: int
    stored_ns: int
    ready_ns: int | None
    expires_ns: int | None
    attributes: dict[str, Any]
    speed: tuple[float, float, float] | None
    """Minimum, maximum and mean of `ego.speed`."""
    box: tuple[int, int, int, int] | None
    fires: tuple[Fire, ...] = ()
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """A time as a closed range of ns."""

    first: int
    last: int


@dataclass(frozen=True)
class Double:
    """A number that is stored as a double."""

    value: float


@dataclass
class Member:
    """The fire, tag and label that scoped properties mean."""

    of: dict[str, Any] = field(default_factory=dict)


def without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not "\u0300" <= letter <= "\u036f")


def both(truths: Iterable[Truth]) -> Truth:
    known = list(truths)
    return False if False in known else None if None in known else True


def either(truths: Iterable[Truth]) -> Truth:
    known = list(truths)
    return True if True in known else None if None in known else False


def negated(truth: Truth) -> Truth:
    return None if truth is None else not truth


def holds(node: Any, clip: Record, fire: Fire | None = None) -> Truth:
    """Whether a filter holds of a clip; within `fire(...)`, of one of its fires."""
    if isinstance(node, bool):
        return node
    if set(node) == {"property"}:
        node = {"op": "=", "args": [node, True]}
    operator, args = node["op"].lower(), node["args"]
    if operator == "and":
        return both(holds(arg, clip, fire) for arg in args)
    if operator == "or":
        return either(holds(arg, clip, fire) for arg in args)
    if operator == "not":
        return negated(holds(args[0], clip, fire))
    if operator == "fire":
        return either(holds(args[0], clip, one) for one in clip.fires)
    return _leaf(operator, args, clip, fire)


def _leaf(operator: str, args: list[Any], clip: Record, fire: Fire | None) -> Truth:
    scope = next((SCOPES[name] for name in _names(args) if name in SCOPES), None)
    if scope is None or (scope == "fires" and fire is not None):
        return _of_one(operator, args, clip, Member({"fires": fire}))
    members = getattr(clip, scope)
    if operator == "isnull":
        return not members
    return either(_of_one(operator, args, clip, Member({scope: member})) for member in members)


def _names(node: Any) -> Iterable[str]:
    if isinstance(node, dict):
        if "property" in node:
            yield node["property"]
        for value in node.values():
            yield from _names(value)
    elif isinstance(node, list):
        for value in node:
            yield from _names(value)


def _of_one(operator: str, args: list[Any], clip: Record, member: Member) -> Truth:
    if operator.startswith("s_"):
        return _spatial(operator, args, clip)
    if operator.startswith("a_"):
        return _of_sets(operator, *(_set(arg, clip) for arg in args))
    if operator == "isnull":
        return _value(args[0], clip, member) is None
    if operator == "between":
        value, low, high = args
        return both((_compared(">=", value, low, clip, member), _compared("<=", value, high, clip, member)))
    if operator == "in":
        return either(_compared("=", args[0], choice, clip, member) for choice in args[1])
    if operator == "like":
        return _like(_value(args[0], clip, member), _value(args[1], clip, member))
    if operator.startswith("t_"):
        return _temporal(operator, *(_value(arg, clip, member) for arg in args))
    return _compared(operator, args[0], args[1], clip, member)


def _set(node: Any, clip: Record) -> set[Any]:
    return set(node) if isinstance(node, list) else set(getattr(clip, node["property"]))


def _of_sets(operator: str, a: set[Any], b: set[Any]) -> bool:
    return {"a_contains": a >= b, "a_containedby": a <= b, "a_equals": a == b, "a_overlaps": bool(a & b)}[operator]


def _compared(operator: str, left: Any, right: Any, clip: Record, member: Member) -> Truth:
    a, b = _value(left, clip, member), _value(right, clip, member)
    if isinstance(a, Span) or isinstance(b, Span):
        return None if a is None or b is None else _times(operator, _span(a), _span(b))
    if a is None or b is None or _kind(a) is not _kind(b):
        return None
    if isinstance(a, bool) and operator not in ("=", "<>"):
        return None  # of two attributes that are true or false
    if isinstance(a, Double) or isinstance(b, Double):
        a, b = (float(number.value if isinstance(number, Double) else number) for number in (a, b))
    return COMPARE[operator](a, b)


def _kind(value: Any) -> type:
    if isinstance(value, bool | str):
        return type(value)
    return Fraction


def _span(value: Any) -> Span:
    if isinstance(value, str):
        day_ns = (date.fromisoformat(value) - date(1970, 1, 1)).days * DAY_NS
        return Span(day_ns, day_ns + DAY_NS - 1)
    assert isinstance(value, Span)
    return value


def _times(operator: str, a: Span, b: Span) -> bool:
    before, after = a.last < b.first, a.first > b.last
    same = not before and not after
    return {
        "=": same,
        "<>": not same,
        "<": before,
        "<=": before or same,
        ">": after,
        ">=": after or same,
    }[operator]


def _temporal(operator: str, a: Any, b: Any) -> Truth:
    if a is None or b is None:
        return None
    return {
        "t_intersects": a.first <= b.last and a.last >= b.first,
        "t_disjoint": a.last < b.first or a.first > b.last,
        "t_before": a.last < b.first,
        "t_after": a.first > b.last,
        "t_during": a.first > b.first and a.last < b.last,
    }[operator]


def _like(value: Any, pattern: str) -> Truth:
    if not isinstance(value, str):
        return None
    words = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    regex = "".join(words.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(regex, value, re.DOTALL) is not None


def _value(node: Any, clip: Record, member: Member) -> Any:
    if not isinstance(node, dict):
        return (
            node if isinstance(node, bool | str) else Fraction(repr(node))
        )  # a literal is the decimal it is written as
    if "op" in node:
        folded = _value(node["args"][0], clip, member)
        if not isinstance(folded, str):
            return None
        return folded.lower() if node["op"] == "casei" else without_accents(folded)
    if "date" in node:
        return _span(node["date"])
    if "timestamp_ns" in node:
        return Span(node["timestamp_ns"], node["timestamp_ns"])
    if "interval" in node:
        first, last = (_value(end, clip, member) for end in node["interval"])
        return None if first is None or last is None else Span(first.first, last.last)
    return _property(node["property"], clip, member)


def _property(name: str, clip: Record, member: Member) -> Any:
    fire: Fire | None = member.of.get("fires")
    values: dict[str, Callable[[], Any]] = {
        "vehicle": lambda: clip.vehicle,
        "state": lambda: clip.state,
        "damage": lambda: clip.damage,
        "start": lambda: Span(clip.start_ns, clip.start_ns),
        "time": lambda: Span(clip.start_ns, clip.end_ns),
        "start_ns": lambda: Fraction(clip.start_ns),
        "size_bytes": lambda: Fraction(clip.size_bytes),
        "stored_at": lambda: Span(clip.stored_ns, clip.stored_ns),
        "ready_at": lambda: None if clip.ready_ns is None else Span(clip.ready_ns, clip.ready_ns),
        "expires_at": lambda: None if clip.expires_ns is None else Span(clip.expires_ns, clip.expires_ns),
        "box": lambda: clip.box,
        "ego.speed.min": lambda: clip.speed and Double(clip.speed[0]),
        "ego.speed.max": lambda: clip.speed and Double(clip.speed[1]),
        "ego.speed.samples": lambda: clip.speed and Fraction(5),
        "campaign": lambda: fire and fire.campaign,
        "trigger": lambda: fire and fire.trigger,
        "version": lambda: fire and Fraction(1),
        "fire_time": lambda: fire and Span(fire.t_ns, fire.t_ns),
        "fire_time_ns": lambda: fire and Fraction(fire.t_ns),
        "tag": lambda: member.of.get("tags"),
        "label": lambda: member.of.get("labels"),
    }
    if name.startswith("vehicle."):
        value = clip.attributes.get(name.removeprefix("vehicle."))
        return value if value is None or isinstance(value, bool | str) else Fraction(str(value))
    return values[name]()


def _spatial(operator: str, args: list[Any], clip: Record) -> Truth:
    """Boxes of whole degrees, on a circle of 360 of them."""
    if clip.box is None:
        return None
    west, south, east, north = clip.box
    box_west, box_south, box_east, box_north = args[1]["bbox"]
    width, box_width = _width(west, east), _width(box_west, box_east)
    offset = (west - box_west) % 360
    if operator == "s_within":
        longitudes = box_width >= 360 or offset + width <= box_width
        return longitudes and box_south <= south and north <= box_north
    meets = offset <= box_width or (box_west - west) % 360 <= width
    intersects = meets and south <= box_north and north >= box_south
    return intersects if operator == "s_intersects" else not intersects


def _width(west: int, east: int) -> int:
    return east - west if west <= east else east - west + 360
