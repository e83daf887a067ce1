"""The leaves of a COVESA Vehicle Signal Specification (VSS) tree, read from its JSON form.

This reads trees as `vspec export json` writes them (VSS 3 to 6), with instances expanded or not; a tree of data types
beside the signals is skipped. The file is untrusted input: its size, depth and counts are limited, and a malformed file
raises InvalidInput with the file and the place in the tree.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NoReturn

from triggers.contracts.base import members_once
from triggers.errors import InvalidInput

MAX_VSS_BYTES = 64 * 1024 * 1024
MAX_VSS_DEPTH = 40
MAX_VSS_NODES = 200_000
MAX_INSTANCES = 1000
MAX_ALLOWED = 10_000

_LEAVES = ("sensor", "actuator", "attribute")
_DATA_TYPES = ("struct", "property")
_RANGE = re.compile(r"(\w*)\[([0-9]{1,6}),([0-9]{1,6})\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A signal of the tree, as in the file; `allowed`, `low` and `high` (`min`, `max`) are None where it has none."""

    name: str
    kind: str
    datatype: str
    unit: str | None
    allowed: tuple[Any, ...] | None
    low: float | None
    high: float | None
    description: str
    deprecation: str


def read_leaves(path: Path) -> list[Leaf]:
    """All leaves of the trees in a file, in the order of the file. Raises InvalidInput."""
    roots = _load(path)
    if not isinstance(roots, dict) or not all(isinstance(root, dict) for root in roots.values()):
        raise InvalidInput(f'{path}: a VSS file is an object of trees, as in {{"Vehicle": {{"type": "branch", ...}}}}')
    return list(_Walk(path).leaves(roots))


def _load(path: Path) -> Any:
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_VSS_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > MAX_VSS_BYTES:
        raise InvalidInput(f"{path}: a VSS file has at most {MAX_VSS_BYTES} bytes")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=members_once)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise InvalidInput(f"{path}: nested too deeply") from error
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    except ValueError as error:  # a repeated key, or a number of too many digits
        raise InvalidInput(f"{path}: {error}") from error


class _Walk:
    """One pass over the trees; `path` names the file in messages."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._nodes = 0

    def leaves(self, roots: dict[str, Any]) -> Iterator[Leaf]:
        """All leaves, depth first, children in the order of the file."""
        waiting = [(name, node, 1) for name, node in reversed(roots.items())]
        while waiting:
            name, node, depth = waiting.pop()
            if depth > MAX_VSS_DEPTH:
                self._fail(name, f"more than {MAX_VSS_DEPTH} levels")
            if not isinstance(node, dict):
                self._fail(name, "a node is an object with `type`")
            kind = node.get("type")
            if kind in _LEAVES:
                yield self._leaf(name, node, kind)
            elif kind == "branch":
                waiting += [(child, inner, depth + 1) for child, inner in reversed(self._children(name, node))]
            elif kind not in _DATA_TYPES:
                self._fail(name, "`type` must be branch, sensor, actuator or attribute")

    def _fail(self, name: str, problem: str) -> NoReturn:
        raise InvalidInput(f"{self._path}: {name[:200]}: {problem}")

    def _children(self, name: str, branch: dict[str, Any]) -> list[tuple[str, Any]]:
        """The children of a branch with their full names, once per instance of the branch."""
        children = branch.get("children", {})
        if not isinstance(children, dict):
            self._fail(name, "`children` must be an object")
        instances = self._instances(name, branch["instances"]) if branch.get("instances") else [""]
        self._nodes += len(instances) * len(children)
        if self._nodes > MAX_VSS_NODES:
            self._fail(name, f"the tree has more than {MAX_VSS_NODES} nodes")
        result = []
        for instance in instances:
            for child, node in children.items():
                shared = isinstance(node, dict) and node.get("instantiate") is False
                if not shared:
                    result.append((".".join(part for part in (name, instance, child) if part), node))
                elif instance is instances[0]:
                    result.append((f"{name}.{child}", node))
        return result

    def _instances(self, name: str, given: Any) -> list[str]:
        """Names from `Row[1,2]`, `["Left", "Right"]`, or a list of these, which are nested along the path."""
        items = given if isinstance(given, list) else [given]
        plain = all(isinstance(item, str) and not _RANGE.fullmatch(item) for item in items)
        axes = [self._axis(name, item) for item in ([items] if plain else items)]
        count = 1
        for axis in axes:
            count *= len(axis)
            if count > MAX_INSTANCES:
                self._fail(name, f"more than {MAX_INSTANCES} instances")
        return [".".join(parts) for parts in product(*axes)]

    def _axis(self, name: str, given: Any) -> list[str]:
        match = _RANGE.fullmatch(given) if isinstance(given, str) else None
        if match is not None:
            first, last = int(match[2]), int(match[3])
            if last - first >= MAX_INSTANCES:
                self._fail(name, f"more than {MAX_INSTANCES} instances")
            given = [f"{match[1]}{number}" for number in range(first, last + 1)]
        axis = [given] if isinstance(given, str) else given
        if not isinstance(axis, list) or not axis or not all(isinstance(item, str) for item in axis):
            self._fail(name, '`instances` must be names or ranges such as "Row[1,2]"')
        return axis

    def _leaf(self, name: str, node: dict[str, Any], kind: str) -> Leaf:
        allowed = node.get("allowed")
        if allowed is not None and not isinstance(allowed, list):
            self._fail(name, "`allowed` must be a list")
        if allowed is not None and len(allowed) > MAX_ALLOWED:
            self._fail(name, f"`allowed` has more than {MAX_ALLOWED} values")
        if any(isinstance(value, str) and not _is_unicode(value) for value in allowed or ()):
            self._fail(name, "`allowed` holds half a surrogate pair, which is not a character")
        datatype = self._text(name, node, "datatype")
        if not datatype:
            self._fail(name, "`datatype` is missing")
        return Leaf(
            name=name,
            kind=kind,
            datatype=datatype,
            unit=self._text(name, node, "unit") or None,
            allowed=None if allowed is None else tuple(allowed),
            low=self._number(name, node, "min"),
            high=self._number(name, node, "max"),
            description=self._text(name, node, "description"),
            deprecation=self._text(name, node, "deprecation"),
        )

    def _number(self, name: str, node: dict[str, Any], key: str) -> float | None:
        value = node.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._fail(name, f"`{key}` must be a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self._fail(name, f"`{key}` is beyond the numbers that a signal can have")
        return number

    def _text(self, name: str, node: dict[str, Any], key: str) -> str:
        value = node.get(key, "")
        if not isinstance(value, str):
            self._fail(name, f"`{key}` must be a string")
        if not _is_unicode(value):
            self._fail(name, f"`{key}` holds half a surrogate pair, which is not a character")
        return value


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
