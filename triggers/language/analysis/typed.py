"""The result of checking an expression: its type and unit, and either a node or an exact constant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from triggers.language.analysis.facts import Facts
from triggers.language.text.diagnostics import Span
from triggers.signals.units import BARE, Unit


class Type(StrEnum):
    """Types of expressions; ERROR marks one whose mistake has been reported already."""

    NUMBER = "number"
    BOOL = "bool"
    TEXT = "text"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Typed:
    """A checked expression.

    A constant has no node until it is used: `constant` is exact, in `unit`, and rounded once, when the unit of
    its use is known. `signal` names the signal that the expression is; `impulse` the operator that is true at
    single ticks. `low` and `high` are bounds known without any data, in `unit`; `is_whole` marks a number that is
    always whole. `facts` is what is known of a condition beyond its node.
    """

    span: Span
    type: Type
    node: int = -1
    unit: Unit = BARE
    constant: Fraction | bool | str | None = None
    values: tuple[str, ...] = ()
    signal: str | None = None
    impulse: str | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    is_whole: bool = False
    facts: Facts | None = None
