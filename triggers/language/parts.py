"""The parts of a trigger's condition: every sub-expression, with its text, type, unit, and node in a program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from triggers.errors import InvalidInput
from triggers.language.analysis.typed import Type, Typed
from triggers.language.checks.checker import lower_parts
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
    """A sub-expression: `text` as it is written, `let` its name where it is the whole of one, `depth` how deep it is.

    A let with arguments has its call for a name, as in `held(x)`, and one of an import that of the file, as in `c.far`.

    `unit` is that of its numbers, `values` what the indexes of a text stand for, `node` its place in the program.
    """

    text: str
    let: str | None
    depth: int
    type: PartType
    unit: str
    values: tuple[str, ...]
    node: int

    @property
    def label(self) -> str:
        """The text, or what a `let` is."""
        return self.text if self.let is None else f"let {self.let} = {self.text}"


@dataclass(frozen=True, slots=True)
class PartsProgram:
    """A program of one trigger in which each part of its condition has a node; its condition is the last at depth 0."""

    trigger: str
    ir: Ir
    parts: tuple[ConditionPart, ...]

    def text_of(self, node: int) -> str:
        """How a node is written: the text of its first part."""
        return next((part.text for part in self.parts if part.node == node), "?")


def parts_program(source: str, filename: str, trigger: str, catalog: SignalCatalog) -> PartsProgram:
    """The parts of a trigger of a file without mistakes. Raises InvalidInput if there is no such trigger."""
    report = Reporter(Source(source, filename))
    file = expanded(written := parse(report.source, report), catalog, report)
    found = next((each for each in file.triggers if each.name.text == trigger), None)
    if found is None:
        names = ", ".join(f"`{each.name.text}`" for each in file.triggers[:10]) or "none"
        raise InvalidInput(f"{filename}: has no trigger `{trigger}`", remedy=f"choose one of its triggers: {names}")
    lowered = lower_parts(file, found, catalog, report)
    if lowered is None:
        raise InvalidInput(f"{filename}: trigger `{trigger}` has a mistake", remedy="see `longtail check`")
    ir, parts, nodes = lowered
    lets = {id(let.value): _shown(let, written) for let in file.lets if let.use != let.value.span}
    made: dict[tuple[str, int], ConditionPart] = {}
    for part, node in zip(parts, nodes, strict=True):
        if part.typed is not None:
            text = " ".join(source[part.expression.span.start : part.expression.span.end].split())
            let = lets.get(id(part.expression)) if part.depth == 0 else None
            made.setdefault(
                (text if let is None else f"let {let}", node), _part(part.typed, text, let, part.depth, node)
            )
    return PartsProgram(trigger, ir, tuple(made.values()))


def _shown(let: syntax.Let, file: syntax.File) -> str:
    """A let's name as this file would write it: `c.fast` for one of an import, `held(x)` for what a call stands for."""
    name = let.name.text
    for each in file.imports:
        name = name.replace(f"{PurePosixPath(each.path.text)}:", f"{each.alias.text}.")
    return name


def _part(typed: Typed, text: str, let: str | None, depth: int, node: int) -> ConditionPart:
    unit = typed.unit.symbol if typed.type is Type.NUMBER else ""
    return ConditionPart(text, let, depth, _TYPES[typed.type], unit, tuple(typed.values), node)
