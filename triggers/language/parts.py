"""The parts of a trigger's condition: every sub-expression, with its text, type, unit, and node in a program.

They are in the order of the text: a `let` by its use, and beneath it what it stands for.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from triggers.errors import InvalidInput
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.checker import lower_parts
from triggers.language.checks.conjuncts import Conjunct, is_argument
from triggers.language.compile import expanded
from triggers.language.ir import Ir
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Source
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter
from triggers.signals.catalog import SignalCatalog

PartType = Literal["number", "condition", "text"]
_TYPES: dict[Type, PartType] = {Type.NUMBER: "number", Type.BOOL: "condition", Type.TEXT: "text"}


@dataclass(frozen=True, slots=True)
class ConditionPart:
    """A sub-expression: its `text` as it is written, and `depth`, how deep it is in the condition.

    The use of a let has the let's name in `let` (`fast`, `held(x)`; `c.fast` for one of an import), and what the let
    stands for one deeper. `unit` is that of its numbers, `values` what the indexes of a text stand for, `node` its
    place in the program.
    """

    text: str
    let: str | None
    depth: int
    type: PartType
    unit: str
    values: tuple[str, ...]
    node: int


@dataclass(frozen=True, slots=True)
class PartsProgram:
    """A program of one trigger in which each part of its condition has a node; the condition itself is the first."""

    trigger: str
    source: str
    ir: Ir
    parts: tuple[ConditionPart, ...]
    conjuncts: tuple[Conjunct, ...]


def parts_program(source: str, filename: str, trigger: str, catalog: SignalCatalog) -> PartsProgram:
    """The parts of a trigger of a file without mistakes. Raises InvalidInput if there is no such trigger."""
    report = Reporter(Source(source, filename))
    file = expanded(written := parse(report.source, report), catalog, report)
    found = next((each for each in file.triggers if each.name.text == trigger), None)
    if found is None:
        names = ", ".join(f"`{each.name.text}`" for each in file.triggers[:10]) or "none"
        raise InvalidInput(f"{filename}: has no trigger `{trigger}`", remedy=f"choose one of its triggers: {names}")
    lowered = lower_parts(file, found, catalog, report)
    if lowered is None or found.when is None:
        raise InvalidInput(f"{filename}: trigger `{trigger}` has a mistake", remedy="see `longtail check`")
    nodes = zip(lowered.checked, lowered.nodes, strict=True)
    known = {id(part.expression): (part.typed, node) for part, node in nodes}
    made: dict[tuple[str, int], ConditionPart] = {}
    for expression, let, depth in _as_written(found.when, {each.name.text: each for each in file.lets}, known):
        typed, node = known[id(expression)]
        if typed is not None:
            text = " ".join(source[expression.span.start : expression.span.end].split())
            name = None if let is None else _shown(let, written)
            made.setdefault((text, node), _part(typed, text, name, depth, node))
    return PartsProgram(trigger, source, lowered.ir, tuple(made.values()), lowered.conjuncts)


def _as_written(
    condition: syntax.Expression, lets: Mapping[str, syntax.Let], known: Container[int]
) -> Iterator[tuple[syntax.Expression, syntax.Let | None, int]]:
    """The known expressions of a condition in the order of the text, each with the let that it is a use of and its
    depth; the first use of a let is followed by what it stands for."""
    opened: set[str] = set()
    waiting: list[tuple[syntax.Expression, int]] = [(condition, 0)]
    while waiting:
        expression, depth = waiting.pop()
        let = lets.get(expression.name) if isinstance(expression, syntax.Name) else None
        if id(expression) in known and (let is None or not is_argument(let)):
            yield expression, let, depth
            depth += 1
        inner = expression.children()
        if let is not None:
            inner = () if let.name.text in opened else (let.value,)
            opened.add(let.name.text)
        waiting += [(each, depth) for each in reversed(inner)]


def _shown(let: syntax.Let, file: syntax.File) -> str:
    """A let's name as this file would write it: `c.fast` for one of an import, `held(x)` for what a call stands for."""
    name = let.name.text
    for each in file.imports:
        name = name.replace(f"{PurePosixPath(each.path.text)}:", f"{each.alias.text}.")
    return name


def _part(typed: Typed, text: str, let: str | None, depth: int, node: int) -> ConditionPart:
    unit = typed.unit.symbol if typed.type is Type.NUMBER else ""
    return ConditionPart(text, let, depth, _TYPES[typed.type], unit, tuple(typed.values), node)
