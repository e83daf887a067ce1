"""What is wrong with lists of objects in a signal catalog beyond their single keys: their key, and all names.

As with signals, a list is looked at as its author wrote it; what is of a wrong type is passed over here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from triggers.signals.reserved import RESERVED

Path = tuple[str, ...]
_MAX_COMPARED = 1000
"""How many fields' names are compared with one that is none of them."""


def list_contradictions(keys: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """What is wrong with the keys of a list together: the path of the key to change, and what is wrong with it."""
    key, fields = keys.get("key"), keys.get("fields")
    if not isinstance(fields, Mapping):
        return
    named = [str(name) for name in fields]
    for name in named:
        if name in RESERVED:
            what = f"`{name}` is a word of the language, so no expression could read it; rename it"
            yield ("fields", name), f"{what}, and give its `column: {name}`"
    yield from _of_columns(named, fields)
    ids = [str(name) for name, field in fields.items() if isinstance(field, Mapping) and field.get("type") == "id"]
    if isinstance(key, str):
        yield from _of_key(key, named, fields, ids)
    for name in ids:
        if isinstance(key, str) and key in named and name != key:
            yield (
                ("fields", name, "type"),
                f"only the key is of the type id, and `key` is `{key}`; write `type: number`",
            )


def _of_key(key: str, named: list[str], fields: Mapping[str, Any], ids: list[str]) -> Iterator[tuple[Path, str]]:
    if key not in named:
        near = ids[:1] or get_close_matches(key[:100], named[:_MAX_COMPARED], n=1)
        meant = f"; did you mean `{near[0]}`?" if near else f"; add `{key[:64]}: {{type: id}}` to `fields`"
        yield ("key",), f"`key` names `{key[:64]}`, which is not one of the `fields`{meant}"
    elif key not in ids and isinstance(fields[key], Mapping):
        at = ("fields", key, "type") if "type" in fields[key] else ("fields", key)
        yield at, f"`{key}` is the `key`, an integer that tells objects apart; write `type: id`"


def _of_columns(named: list[str], fields: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """A drive's column is one field's alone, or it would be unclear whose values it has."""
    owners = {name: name for name in named}
    for name, field in fields.items():
        column = field.get("column") if isinstance(field, Mapping) else None
        if isinstance(column, str) and owners.setdefault(column, str(name)) != name:
            yield (
                ("fields", str(name), "column"),
                f"`{column[:64]}` is the field `{owners[column]}` already; rename one",
            )


def clashes(signals: Collection[str], lists: Collection[str]) -> Iterator[tuple[str, str]]:
    """The lists that share their name, or the beginning of it, with a signal or another list, and with which."""
    beginnings: dict[str, str] = {}
    for name in (*signals, *lists):
        parts = name.split(".")
        for count in range(1, len(parts)):
            beginnings.setdefault(".".join(parts[:count]), name)
    for name in lists:
        if name in signals:
            yield name, f"`{name}` is also the name of a signal; rename one of the two"
        elif name in beginnings:
            what = f"`{name}` is also the beginning of `{beginnings[name]}`"
            yield name, f"{what}: `{name}.x` is a field of a list, or a signal, but not both; rename one of the two"
