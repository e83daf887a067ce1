"""The settings of a campaign as text, one line each, so that an approver sees every one of them with its unit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[\w.+-]+", re.ASCII)
_BYTES = tuple((1000**power, unit) for power, unit in ((5, "PB"), (4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")))
_DURATIONS = (
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "min"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
)


def settings_text(settings: Mapping[str, Any]) -> dict[str, str]:
    """Each setting as a path and a text; `settings` are as a bundle holds them, in JSON.

    Settings that differ give texts that differ. No setting is named here, so none can be left out.

    >>> settings_text({"budget": {"total_bytes": 1500000, "clips": 5}, "triggers": [{"name": "a", "cooldown_ns": 0}]})
    {'budget.total_bytes': '1.5 MB (1,500,000 bytes)', 'budget.clips': '5', 'triggers.a.cooldown_ns': '0 s'}
    """
    return dict(_lines("", settings))


def _lines(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if path == "target" and value is not None:
        yield path, target_text(value)
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from _lines(f"{path}.{name}" if path else name, member)
    elif isinstance(value, list) and any(isinstance(member, Mapping) for member in value):
        for number, member in enumerate(value, start=1):
            key = member.get("name", number)
            yield from _lines(f"{path}.{key}", {name: each for name, each in member.items() if name != "name"})
    elif isinstance(value, list):
        yield path, ", ".join(map(_scalar, value)) or "none"
    else:
        yield path, _with_unit(path, value)


def target_text(target: Mapping[str, Any]) -> str:
    """A target as an author could have written it.

    >>> region = {"kind": "compare", "attribute": "region", "op": "in", "values": ["EU", "UK"]}
    >>> target_text({"kind": "not", "operands": [region]})
    'not (vehicle.region in ("EU", "UK"))'
    """
    if target["kind"] == "compare":
        values = [json.dumps(value, ensure_ascii=False) for value in target["values"]]
        shown = f"({', '.join(values)})" if target["op"] == "in" else values[0]
        return f"vehicle.{target['attribute']} {target['op']} {shown}"
    operands = [f"({target_text(operand)})" for operand in target["operands"]]
    return f"not {operands[0]}" if target["kind"] == "not" else f" {target['kind']} ".join(operands)


def bytes_text(count: int) -> str:
    """Bytes in the unit that suits people, and in full.

    >>> bytes_text(4_000_000_000_000), bytes_text(1_234_567), bytes_text(17)
    ('4 TB (4,000,000,000,000 bytes)', '1,234,567 bytes', '17 bytes')
    """
    in_full = f"{count:,} bytes"
    for factor, unit in _BYTES:
        if count >= factor:
            return f"{count / factor:g} {unit} ({in_full})" if count % (factor // 100) == 0 else in_full
    return in_full


def duration_text(count_ns: int) -> str:
    """A duration in the largest unit that divides it.

    >>> duration_text(90_000_000_000), duration_text(7 * 86_400_000_000_000), duration_text(0)
    ('90 s', '7 d', '0 s')
    """
    if count_ns == 0:
        return "0 s"
    return next((f"{count_ns // size:,} {unit}" for size, unit in _DURATIONS if count_ns % size == 0), f"{count_ns} ns")


def _with_unit(path: str, value: Any) -> str:
    if isinstance(value, int) and path.endswith("_bytes"):
        return bytes_text(value)
    if isinstance(value, int) and path.endswith("_ns"):
        return duration_text(value)
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A value on one line; text that could be taken for something else is in quotes."""
    if value is None:
        return "none"
    if isinstance(value, str) and value != "none" and _PLAIN.fullmatch(value) and not _is_json(value):
        return value
    return json.dumps(value, ensure_ascii=not str(value).isprintable())


def _is_json(text: str) -> bool:
    """Whether a text looks like another value, such as `true` or `1e5`."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
