"""YAML as Longtail reads it: no aliases, no repeated keys, no deep nesting, and every key with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from triggers.errors import InvalidInput

MAX_DEPTH = 20
"""Levels that a document may be nested; those of Longtail need 5."""

_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader is ten times faster, but needs libyaml
Path = tuple[str, ...]
_OCTAL = re.compile(r"[-+]?0[0-7_]*[1-7][0-7_]*", re.ASCII)
"""`010`, which YAML reads as 8."""


@dataclass(frozen=True, slots=True)
class YamlText:
    """A document that was read: what messages call it, its tree (None if it is empty), and the places of its keys.

    `keys` has the line (from 1) and the range of characters of each key path; a list's entries are named by number.
    """

    name: str
    root: yaml.Node | None = field(repr=False)
    keys: Mapping[Path, tuple[int, int, int]] = field(repr=False)

    def document(self) -> Any:
        """The values of the document, as YAML types them; an empty one is an empty mapping; may raise InvalidInput."""
        try:
            return SafeConstructor().construct_document(self.root) if self.root is not None else {}
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise _unreadable(error, self.name) from error

    def ranges(self, *pattern: str) -> dict[Path, tuple[int, int]]:
        """The range of characters of each scalar whose path of keys is like this; `*` stands for every key."""
        found: list[tuple[Path, yaml.Node]] = [((), self.root)] if self.root is not None else []
        for part in pattern:
            found = [
                ((*path, str(key.value)), child)
                for path, node in found
                for key, child in (node.value if isinstance(node, yaml.MappingNode) else ())
                if part in ("*", key.value)
            ]
        scalars = [(path, node) for path, node in found if isinstance(node, yaml.ScalarNode)]
        return {path: (node.start_mark.index, node.end_mark.index) for path, node in scalars}

    def misleading(self) -> list[tuple[int, int]]:
        """The range of characters of each number that YAML reads otherwise than people do: `010` is 8, `10:30` 630."""
        found, waiting = list[tuple[int, int]](), [self.root] if self.root is not None else []
        while waiting:
            node = waiting.pop()
            if isinstance(node, yaml.MappingNode):
                waiting += [child for _, child in node.value]
            elif isinstance(node, yaml.SequenceNode):
                waiting += node.value
            elif isinstance(node, yaml.ScalarNode) and _is_misleading(node):
                found.append((node.start_mark.index, node.end_mark.index))
        return found


def read_yaml(text: str, *, name: str) -> YamlText:
    """Read one YAML document; `name` stands for the file in messages. InvalidInput says where it cannot be read."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(error, name, text) from error
    finally:
        loader.dispose()
    return YamlText(name, root, dict(_walk(root, name)) if root is not None else {})


class _Loader(_BaseLoader):  # type: ignore[misc]
    """Refuses deep nesting while it reads: the loader in C recurses, and overruns the stack instead of raising."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def descend_resolver(self, current_node: yaml.Node | None, current_index: Any) -> None:
        """Called on the way into each node."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} deep")
        super().descend_resolver(current_node, current_index)

    def ascend_resolver(self) -> None:
        """Called on the way out of each node."""
        self._depth -= 1
        super().ascend_resolver()


def _unreadable(error: Exception, name: str, text: str = "") -> InvalidInput:
    """What the library could not read, with its line where it knows it; `text` is that of the document."""
    if not isinstance(error, yaml.YAMLError):
        return InvalidInput(f"{name}: not a YAML document ({error})")
    mark = getattr(error, "problem_mark", None)
    line = f":{mark.line + 1}" if mark is not None else ""
    problem = getattr(error, "problem", None) or (str(error) or "not a YAML document").splitlines()[0]
    if mark is not None and text[mark.index : mark.index + 1] == "\t":
        problem = "a tab cannot indent YAML; write spaces"
    return InvalidInput(f"{name}{line}: {problem}")


def _is_misleading(node: yaml.ScalarNode) -> bool:
    """Whether a number is read as octal or in base 60."""
    is_whole = node.tag.endswith(":int")
    return (is_whole and _OCTAL.fullmatch(node.value) is not None) or (
        (is_whole or node.tag.endswith(":float")) and ":" in node.value
    )


def _walk(root: yaml.Node, name: str) -> Iterator[tuple[Path, tuple[int, int, int]]]:
    """Every key path with its place; refuses repeated keys, and aliases, which could expand without limit."""
    waiting: list[tuple[Path, yaml.Node]] = [((), root)]
    visited: set[int] = set()
    while waiting:
        path, node = waiting.pop()
        if id(node) in visited:
            raise InvalidInput(f"{name}:{node.start_mark.line + 1}: YAML aliases are not supported here")
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [((*path, str(i)), child) for i, child in enumerate(node.value)]
            continue
        seen: set[str] = set()
        for key, child in node.value if isinstance(node, yaml.MappingNode) else ():
            line, word = key.start_mark.line + 1, str(key.value)
            if word in seen:
                raise InvalidInput(f"{name}:{line}: {'.'.join((*path, word))} is declared twice")
            seen.add(word)
            yield (*path, word), (line, key.start_mark.index, key.end_mark.index)
            waiting.append(((*path, word), child))
