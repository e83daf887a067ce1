"""Contradictions between the keys of one signal, or one field of a list, told at the key that has to change.

The keys are looked at as the author wrote them, so that contradictions are told together with keys that are wrong by
themselves; a key of a wrong type is passed over here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from triggers.written_numbers import in_full

Keys = Mapping[str, Any]
Found = Iterator[tuple[str, str]]
_OF_NUMBERS = ("unit", "scale", "offset", "min", "max", "yellow", "red")
_OF_SAMPLES = (
    "rate", "max_age", "update", "initial", "column", "columns", "scale", "offset", "invalid", "indexed",
)  # fmt: skip
"""Keys about samples, of which a derived signal has none of its own."""


WITHOUT_CONTRADICTION = frozenset(("unit", "rate", "max_age", "column", "indexed", "describe"))
"""Keys that fit each other and a number, whatever they are: most signals have no others."""


def contradictions(keys: Keys, of: str = "signal") -> Found:
    """What is wrong with the keys of a signal together: the key to change, and what is wrong with it.

    `of` is what the keys are of in messages: a signal or a field.
    """
    kind = keys.get("type", "number")
    if kind in ("number", "bool", "text", "id"):
        yield from _of_type(kind, keys, of)
    yield from _of_time(keys)
    yield from _of_columns(keys)
    if kind == "number":
        yield from _of_range(keys)
        yield from _of_limits(keys)
    if keys.get("derived") is not None:
        yield from _of_derived(kind, keys)


def _of_type(kind: str, keys: Keys, of: str) -> Found:
    values = keys.get("values") if isinstance(keys.get("values"), list | tuple) else ()
    texts = [value for value in values or () if isinstance(value, str)]
    for key in _OF_NUMBERS if kind != "number" else ():
        if _is_given(key, keys.get(key)):
            yield key, f"{_a(kind)} {of} has no `{key}`"
    if kind == "text" and not keys.get("values"):
        yield "type", f"a text {of} needs `values`, the list of all its texts"
    if kind != "text" and values:
        yield "values", f"only text {of}s have `values`, and this one is {_a(kind)}; write `type: text`"
    if len(set(texts)) != len(texts):
        yield "values", "`values` names a value twice"
    initial = keys.get("initial")
    if isinstance(initial, bool | int | float | str) and not _fits(kind, texts, initial):
        yield "initial", f"`initial` is not a value of {_a(kind)} {of}"
    yield from _of_invalid(kind, texts, keys, of)


def _a(kind: str) -> str:
    return f"an {kind}" if kind == "id" else f"a {kind}"


def _fits(kind: str, texts: list[str], value: bool | float | str) -> bool:
    if kind == "text":
        return value in texts
    return isinstance(value, bool) if kind == "bool" else type(value) in (int, float)


def _of_invalid(kind: str, texts: list[str], keys: Keys, of: str) -> Found:
    listed = keys.get("invalid") if isinstance(keys.get("invalid"), list | tuple) else ()
    for value in listed or ():
        if kind == "text" and value in texts:
            yield "invalid", f"`{value}` is one of the {of}'s `values`; write it in one of the two lists"
        elif isinstance(value, str) and kind != "text":
            yield "invalid", f"`{value[:40]}` is not a number: `invalid` lists raw values, such as `[255]`"
        elif kind == "text" and type(value) in (int, float):
            yield "invalid", f'`{value}` is not a text: write `"{value}"` in quotes'


def _of_time(keys: Keys) -> Found:
    if keys.get("update") == "on_change" and keys.get("max_age") is not None:
        yield "max_age", "a signal with `update: on_change` never expires, so it has no `max_age`"


def _of_columns(keys: Keys) -> Found:
    columns = keys.get("columns") if isinstance(keys.get("columns"), list | tuple) else ()
    names = [name for name in columns or () if isinstance(name, str)]
    if names and keys.get("column") is not None:
        listed = ", ".join(dict.fromkeys([str(keys["column"]), *names]))
        yield "columns", f"a signal has either `column` or `columns`; write `columns: [{listed[:200]}]` alone"
    if len(set(names)) != len(names):
        yield "columns", "`columns` names a column twice"


def _of_range(keys: Keys) -> Found:
    low, high, initial = (_number(keys.get(key)) for key in ("min", "max", "initial"))
    if keys.get("scale") is not None and _number(keys["scale"]) == 0:
        yield "scale", "with a `scale` of 0 every value would be the same"
    if low is not None and high is not None and low > high:
        yield "min", f"`min` ({in_full(low)}) is above `max` ({in_full(high)}); swap them"
    elif initial is not None and not (_or(low, -math.inf) <= initial <= _or(high, math.inf)):
        yield "initial", f"`initial` ({in_full(initial)}) is not between `min` and `max`, so it would be unknown"


def _of_limits(keys: Keys) -> Found:
    known = {key: _interval(keys.get(key)) for key in ("yellow", "red")}
    for key, interval in known.items():
        if interval is not None and interval[0] > interval[1]:
            low, high = map(in_full, interval)
            yield key, f"`[{low}, {high}]` is turned around; write `[{high}, {low}]`"
    yellow, red = known["yellow"], known["red"]
    if yellow is None or red is None or red[0] > red[1] or yellow[0] > yellow[1]:
        return
    if red != yellow and yellow[0] <= red[0] and red[1] <= yellow[1]:
        yield "red", "the red limits lie within the yellow ones, but red is the worse of the two; swap them"
    elif red[0] > yellow[0] or red[1] < yellow[1]:
        yield (
            "red",
            "some values would be outside red and not outside yellow; let the red limits enclose the yellow ones",
        )


def _of_derived(kind: Any, keys: Keys) -> Found:
    for key in _OF_SAMPLES:
        if _is_given(key, keys.get(key)):
            yield key, f"a derived signal has no samples of its own, so it has no `{key}`"
    if kind == "text":
        yield "type", "a derived signal is a number or a bool; compare texts where they are used"


def _is_given(key: str, value: Any) -> bool:
    """Whether a value says anything: it is not the one that a signal without this key has."""
    is_empty = value is None or value is False or value in ("", (), [])
    return not is_empty and (key, value) not in (("scale", 1), ("offset", 0))


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) < 2**1023 else None


def _or(number: float | None, otherwise: float) -> float:
    return otherwise if number is None else number


def _interval(value: Any) -> tuple[float, float] | None:
    """The ends of limits, infinite where they are open; None if these are no limits."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    low, high = map(_number, value)
    if (low is None and value[0] is not None) or (high is None and value[1] is not None):
        return None
    return _or(low, -math.inf), _or(high, math.inf)
