"""The mistakes of a signal catalog in its author's words: all at once, each with its place, its key and a proposal."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from triggers.remedies import what_is_wrong
from triggers.signals.mistakes.contradictions import contradictions
from triggers.signals.mistakes.lists import clashes, list_contradictions
from triggers.signals.reserved import RESERVED
from triggers.signals.unit_spellings import nearest_units
from triggers.signals.units import parse_unit
from triggers.written_numbers import in_full

MAX_SHOWN = 50
Path = tuple[str, ...]
Place = tuple[int, int]
"""Line and column, from 1."""

_TYPES_MEANT = {
    **dict.fromkeys(("string", "str", "enum", "category", "char"), "text"),
    **dict.fromkeys(("boolean", "flag", "binary", "logical"), "bool"),
    **dict.fromkeys(("float", "double", "int", "integer", "numeric", "real", "decimal", "uint8", "int32"), "number"),
}
_ATTRIBUTES_MEANT = {
    **_TYPES_MEANT,
    **dict.fromkeys(("int", "uint8", "int32"), "integer"),
    **dict.fromkeys(("semver", "semantic_version", "release"), "version"),
}
_INTEGER = re.compile(r"u?int(8|16|32|64)", re.ASCII)
_BARE_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", re.ASCII)
_PLAIN = re.compile(r"(?P<sign>[-+]?)(?P<zeros>0*)(?P<number>\d+(\.\d+)?)", re.ASCII)
_AMOUNT = re.compile(r"([-+]?\d+(?:\.\d+)?) *[^\d\s].*", re.ASCII)
_QUOTED = re.compile("'([^']*)'")
_IN_SECONDS = ("max_age", "max_gap", "buffer")
_IN_UNIT = ("min", "max", "offset")
_NAMES = {
    "fields": "a field's name begins with a lower-case letter, then lower-case letters, digits and `_`; only `column` "
    "may be otherwise",
    "objects": "a list's name has parts of letters a to z, digits and `_` between dots, none beginning with a digit",
    "signals": "a signal's name has parts of letters a to z, digits and `_` between dots, none beginning with a digit",
    "vehicle": "an attribute's name begins with a lower-case letter, then lower-case letters, digits and `_`",
    "cameras": "a camera's name begins with a lower-case letter, then lower-case letters, digits and `_`",
}


def listed(mistakes: Sequence[tuple[Path, str]], place_of: Callable[[Path], Place | None], name: str) -> str:
    """The mistakes as text, one per line in the order of the file, each once; at most MAX_SHOWN of them."""
    placed = {(_place(path, place_of), ".".join(path) or "the whole catalog", what) for path, what in mistakes}
    lines = [
        f"{name}{f':{line}:{column}' if line else ''}: {key}: {what}" for (line, column), key, what in sorted(placed)
    ]
    if len(lines) > MAX_SHOWN:
        lines[MAX_SHOWN:] = [f"{name}: and {len(lines) - MAX_SHOWN} more mistakes"]
    return "\n".join(lines)


def _place(path: Path, place_of: Callable[[Path], Place | None]) -> Place:
    """The line and column of the key, or of the nearest one above it; (0, 0) if there is none."""
    return next((place for n in range(len(path), -1, -1) if (place := place_of(path[:n])) is not None), (0, 0))


def in_words(errors: Iterable[Mapping[str, Any]], keys_at: Callable[[Path], Sequence[str]]) -> list[tuple[Path, str]]:
    """What a validation found, as paths of keys and what is wrong there; `keys_at` has the keys allowed at a path."""
    mistakes = []
    for error in errors:
        path = tuple(str(part) for part in error["loc"] if part != "[key]")
        if error["type"] == "contradiction":  # told of the document, at the key that has to change
            continue
        if "initial" in path[:-1]:  # one mistake for each of the types that it may have
            path = path[: path.index("initial") + 1]
            mistakes.append((path, f"{_shown(error['input'])} is not a value: write a number, true, false or a text"))
        elif path[:1] in (("signals",), ("objects",)) and "invalid" in path[2:-1]:
            path = path[: path.index("invalid", 2) + 1]
            mistakes.append((path, f"{_shown(error['input'])} is not a raw value: write numbers, such as `[255]`"))
        elif error["type"] == "unknown_unit":
            mistakes.append(((*path, "unit"), str(error["msg"])))
        else:
            mistakes.append((path, _what(error, path, keys_at)))
    return mistakes


UNREADABLE = (
    "cannot be read in an expression: it is a word of the language, or has letters other than a to z; rename it"
)
"""What is wrong with a signal's name, after the name; its `column` may keep it."""


def can_be_read(name: str) -> bool:
    """Whether an expression can name a signal so."""
    return name.isascii() and name not in RESERVED


def unreadable_names(document: Any) -> list[tuple[Path, str]]:
    """The signals and lists of objects that no expression can read."""
    return [
        ((key, str(name)), f"`{name}` {UNREADABLE}, and give its `column: {name}`")
        for key in ("signals", "objects")
        for name in _mapping(document, key)
        if isinstance(name, str) and not can_be_read(name)
    ]


def contradicting(document: Any) -> list[tuple[Path, str]]:
    """The keys of signals and lists of objects that contradict each other, whatever else is wrong with them."""
    found = [
        ((*path, key), what) for path, keys, of in _declarations(document) for key, what in contradictions(keys, of)
    ]
    lists = _mapping(document, "objects")
    for name, keys in lists.items():
        if isinstance(keys, dict):
            found += [(("objects", str(name), *path), what) for path, what in list_contradictions(keys)]
    of_names = clashes({*map(str, _mapping(document, "signals"))}, [*map(str, lists)])
    return [*found, *((("objects", name), what) for name, what in of_names)]


def _mapping(document: Any, key: str) -> Mapping[Any, Any]:
    """The mapping under a key; none where something else is there."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def _declarations(document: Any) -> Iterator[tuple[Path, Mapping[str, Any], str]]:
    """The signals and the fields of objects, as far as they are mappings: path, keys, and which of the two it is."""
    for name, signal in _mapping(document, "signals").items():
        if isinstance(signal, dict):
            yield ("signals", str(name)), signal, "signal"
    for name, keys in _mapping(document, "objects").items():
        for field, declared in _mapping(keys, "fields").items():
            if isinstance(declared, dict):
                yield ("objects", str(name), "fields", str(field)), declared, "field"


def unknown_units(document: Any) -> list[tuple[Path, str]]:
    """The signals with an unknown unit; a validation does not come to them if another key of theirs is wrong."""
    return [
        ((*path, "unit"), unknown_unit(keys["unit"]))
        for path, keys, _ in _declarations(document)
        if isinstance(keys.get("unit"), str) and parse_unit(keys["unit"]) is None
    ]


def unknown_unit(text: str) -> str:
    """What is wrong with a unit, and which one may be meant."""
    nearest = " or ".join(f"`{unit}`" for unit in nearest_units(text))
    return f"`{text[:40]}` is not a known unit" + (f"; did you mean {nearest}?" if nearest else "")


def unknown_place(document: Any) -> list[tuple[Path, str]]:
    """The names of `position` that are not signals in degrees."""
    position = document.get("position") if isinstance(document, dict) else None
    signals = document.get("signals") if isinstance(document, dict) else None
    mistakes: list[tuple[Path, str]] = []
    if not isinstance(position, dict) or not isinstance(signals, dict):
        return mistakes
    for key, name in position.items():
        signal = signals.get(name) if isinstance(name, str) else None
        is_place = isinstance(signal, dict) and signal.get("unit") == "deg" and not signal.get("derived")
        if key in ("latitude", "longitude") and not is_place:
            near = "" if signal is not None else _meant(str(name), [str(known) for known in signals])
            mistakes.append((("position", key), f"`{name}` is not a declared signal with the unit deg{near}"))
    return mistakes


def _what(error: Mapping[str, Any], path: Path, keys_at: Callable[[Path], Sequence[str]]) -> str:
    """What is wrong, and what to write."""
    kind, value, context = str(error["type"]), error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = keys_at(path[:-1])
        return f"there is no such key{_meant(path[-1], known)}; the keys are {', '.join(known)}"
    if kind == "literal_error":
        expected = str(context.get("expected"))
        return f"{_shown(value)} is not one of {expected}{_literal_meant(path, value, expected)}"
    if kind in _LIMITS:
        return f"{_shown(value)} is out of range: it must be {_LIMITS[kind]} {_limit(next(iter(context.values())))}"
    if kind in _SIZES:
        needed, least = _SIZES[kind]
        return f"{_shown(value)} {needed} {context[least]:,}"
    if kind in _WORDS:
        return _WORDS[kind](path, value)
    return what_is_wrong(error)


def _limit(limit: float) -> str:
    return f"{int(limit):,}" if limit == int(limit) else in_full(limit)


def _missing(path: Path, _value: Any) -> str:
    example = _LISTS_KEYS.get(path[-1]) if path[0] == "objects" else None
    return f"the key `{path[-1]}` is missing; add it" + (f", such as `{example}`" if example else "")


def _bad_name(path: Path, value: Any) -> str:
    key = "fields" if "fields" in path[2:-1] else path[0]
    return f"{_shown(value)} is not a valid name: {_NAMES.get(key, 'use letters, digits and `_`')}"


def _not_a_number(path: Path, value: Any) -> str:
    return f"a number is needed here, not {_shown(value)}{_number_meant(path, value)}"


def _not_a_list(_path: Path, value: Any) -> str:
    entry = value if isinstance(value, str | int | float) else "..."
    return f"a list is needed here, not {_shown(value)}; write `[{entry}]`"


def _not_a_mapping(path: Path, value: Any) -> str:
    if path[:1] == ("cameras",):
        names = value if len(path) == 1 and isinstance(value, str) else path[-1] if len(path) > 1 else "front"
        return f"{_shown(value)} is not a camera: write `[{names}]`, or `{{{names}: {{bit_rate: 4 Mbit/s}}}}`"
    example = _EXAMPLES.get((path[0] if path else "", len(path)), "the keys below it, indented")
    begin = "; a catalog begins with `signals:`" if not path else f"; write {example}"
    return f"a mapping of keys to values is needed here, not {_shown(value)}{begin}"


def _not_a_text(_path: Path, value: Any) -> str:
    """Something else than a text is wrong; YAML itself turns some words into truth values."""
    if isinstance(value, bool):
        hint = "YAML reads words such as on, off, yes and no as truth values: quote them"
        return f"a text is needed here, not {_shown(value)} ({hint})"
    if isinstance(value, int | float):
        return f'a text is needed here, not the number {value}; write `"{value}"` in quotes'
    return f"a text is needed here, not {_shown(value)}"


_EXAMPLES = {
    ("signals", 2): "{rate: 10}",
    ("objects", 2): "{max: 64, key: id, fields: {id: {type: id}, x: {unit: m}}}",
    ("objects", 3): "{id: {type: id}, x: {unit: m}}",
    ("objects", 4): "{unit: m}",
}
"""What belongs in the place of a mapping, by the first key and the depth."""
_LISTS_KEYS = {"max": "max: 64", "key": "key: id", "fields": "fields: {id: {type: id}, x: {unit: m}}"}
_LIMITS = {
    "greater_than": "more than", "greater_than_equal": "at least", "less_than": "less than",
    "less_than_equal": "at most",
}  # fmt: skip
_SIZES = {
    "string_too_short": ("is too short: the least number of characters is", "min_length"),
    "string_too_long": ("is too long: the largest number of characters is", "max_length"),
    "too_short": ("is too short: the least number of entries is", "min_length"),
    "too_long": ("is too long: the largest number of entries is", "max_length"),
}
_WORDS: dict[str, Callable[[Path, Any], str]] = {
    "missing": _missing,
    "string_pattern_mismatch": _bad_name,
    **dict.fromkeys(("float_type", "int_type", "int_from_float", "finite_number"), _not_a_number),
    "string_type": _not_a_text,
    "bool_type": lambda _, value: f"true or false is needed here, not {_shown(value)}",
    "tuple_type": _not_a_list,
    **dict.fromkeys(("model_type", "dict_type"), _not_a_mapping),
}


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = str(value)
    return f"`{text if len(text) <= 40 else text[:36] + '...'}`"


def _meant(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word[:100], known[:20_000], n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _literal_meant(path: Path, value: Any, expected: str) -> str:
    word = str(value).lower()
    if path[0] == "objects" and (_TYPES_MEANT.get(word) == "number" or _INTEGER.fullmatch(word)):
        return "; write `number`, or `id` for the key"
    if path[-1] == "type" and word in _TYPES_MEANT:
        listing = ", with the list `values` of all its texts" if _TYPES_MEANT[word] == "text" else ""
        return f"; write `{_TYPES_MEANT[word]}`{listing}"
    if path[0] == "vehicle" and word in _ATTRIBUTES_MEANT:
        return f"; write `{_ATTRIBUTES_MEANT[word]}`"
    if path[-1] == "unit":
        allowed = _QUOTED.findall(expected)
        near = [unit for unit in nearest_units(str(value)) if unit in allowed]
        return f"; did you mean `{near[0]}`?" if near else _meant(str(value), allowed)
    types = ("id", "number", "bool", "text") if path[0] == "objects" else ("number", "bool", "text")
    known = {"type": types, "update": ("on_change",)}
    return _meant(word.replace("-", "_"), known.get(path[-1], ("text", "integer", "number", "bool", "version")))


def _number_meant(path: Path, value: Any) -> str:
    if path[-1] == "state":
        return "; write bytes, or an amount such as `256 KiB`"
    if not isinstance(value, str):
        return ""
    if _BARE_EXPONENT.fullmatch(value):
        if math.isinf(float(value)):
            return "; the largest number is 1.797e308"
        return "; YAML reads a number with an exponent only with a point and a sign, such as `1.0e-3`"
    if plain := _PLAIN.fullmatch(value):
        decimal = f"; write `{plain['sign']}{plain['number']}`, without quotes or leading zeros"
        return decimal if plain["zeros"] else "; write it without quotes"
    if path[-1] in _IN_UNIT and (amount := _AMOUNT.fullmatch(value.strip())):
        return f"; write it without a unit: `{amount[1]}`, in the signal's own unit"
    number = value.strip().split(" ")[0].rstrip("HhzZs")
    unit = "seconds, such as `0.3`" if path[-1] in _IN_SECONDS else "Hz, such as `10`" if path[-1] == "rate" else ""
    is_plain = number.replace(".", "", 1).isdigit()
    return f"; write it without a unit, in {unit}" if unit and is_plain and number != value else ""
