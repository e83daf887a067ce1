"""The canonical YAML text of a signal catalog: equal catalogs give equal bytes, and small changes small diffs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from triggers.signals.catalog import SignalCatalog

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./^]*")
_WORDS_OF_YAML = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""Words that YAML readers take for something other than a string."""
_ESCAPED = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML cannot print or takes for the end of a line."""
_MAX_LINE = 120


def catalog_text(catalog: SignalCatalog, heading: Iterable[str] = ()) -> str:
    """A catalog as YAML, which `SignalCatalog.parse` turns back into the same catalog; `heading` becomes comments."""
    document = catalog.model_dump(mode="json", exclude_defaults=True)
    lines = [f"# {line}" for line in heading]
    for key in SignalCatalog.model_fields:
        if key not in document:
            continue
        if key in ("signals", "objects", "vehicle"):
            lines.append(f"{key}:")
            lines += [line for name, value in document[key].items() for line in _entry(name, value)]
        else:
            lines.append(f"{key}: {_flow(document[key])}")
    return "\n".join(lines) + "\n"


def _entry(name: str, value: Any, indent: str = "  ") -> Iterator[str]:
    """`name: value`; a mapping on one line if it fits, else with one line, or several, per key."""
    line = f"{indent}{_scalar(name)}: {_flow(value)}"
    if not isinstance(value, dict) or len(line) <= _MAX_LINE:
        yield line
        return
    yield f"{indent}{_scalar(name)}:"
    for key, inner in value.items():
        yield from _entry(key, inner, indent + "  ")


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: str | bool | float | None) -> str:
    """A scalar; a string is quoted if a reader of YAML might take it for something else."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _ESCAPED.sub(lambda match: f"\\U{ord(match[0]):08x}", escaped) + '"'
