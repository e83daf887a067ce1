"""The material of the schema that is kept as files: the grammar, the rules of meaning, and examples that compile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

SIGNALS = "signals.yaml"
"""The signal catalog of the examples."""
_OF_PROSE = re.compile(r"^#\s?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """A trigger file that compiles against the catalog of the examples without a finding, and what it shows."""

    name: str
    about: str
    text: str


@cache
def grammar() -> str:
    """The normative grammar, in the notation of Lark (LALR)."""
    return _read("triggers.language.text", "grammar.lark")


@cache
def rules() -> str:
    """What programs mean, as Markdown."""
    return _read("triggers.schema", "rules.md")


@cache
def examples() -> tuple[Example, ...]:
    """The examples by name; the first line of each says what it shows."""
    folder = files("triggers.schema") / "examples"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".trigger"))
    return tuple(_example(name) for name in found)


@cache
def example_signals() -> str:
    """The signal catalog of the examples, as YAML."""
    return _read("triggers.schema", f"examples/{SIGNALS}")


def _example(name: str) -> Example:
    text = _read("triggers.schema", f"examples/{name}")
    return Example(name.removesuffix(".trigger"), _OF_PROSE.sub("", text.split("\n", 1)[0]), text)


def _read(package: str, name: str) -> str:
    return (files(package) / name).read_text(encoding="utf-8")
