"""The lets that calls become: each different call one, and no more of them than a file may have."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeGuard

from triggers.language.text import syntax
from triggers.language.text.diagnostics import Span
from triggers.language.text.expressions import nodes
from triggers.language.text.reporter import Reporter

MAX_CALLS = 10_000
"""Different calls of lets with arguments in a file."""
MAX_PARTS = 50_000
"""Names, numbers and operators in the lets that these calls become."""
ATOMS = (syntax.Quantity, syntax.Text, syntax.Truth, syntax.Name, nodes.Field)
_MAX_SHOWN = 60


def is_object(argument: syntax.Expression) -> TypeGuard[nodes.Field | nodes.OfObjects]:
    """Whether an argument is an object, whose fields can be read as `argument.x`: `o`, or `nearest(...)`."""
    if isinstance(argument, nodes.OfObjects):
        return argument.by is not None and argument.field is None
    return isinstance(argument, nodes.Field) and not argument.field


Bindings = Mapping[str, syntax.Expression]
Write = Callable[[syntax.Expression, Bindings], syntax.Expression]


class Broken(Exception):
    """What stands where a constant should is none, or a call cannot be written; that was reported."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that has a name, but whose let is yet to be written, by the file that defines what is called."""

    name: str
    let: syntax.Let
    arguments: tuple[syntax.Expression, ...]
    span: Span
    write: Write


class Calls:
    """The calls of a file and of its imports."""

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self.made: dict[str, syntax.Let] = {}
        """The lets that calls and their arguments have become, by name."""
        self.names: set[str] = set()
        """Their names, and those of the lets that would have been made if there were not too many."""
        self.parts = 0
        """Names, numbers and operators that were written so far."""
        self._known: dict[object, str] = {}
        self._waiting: deque[_Call] = deque()
        self._is_full = False

    def called(
        self, span: Span, name: str, let: syntax.Let, arguments: Iterator[syntax.Expression], write: Write
    ) -> str:
        """The name of the let that a call becomes; a new one is written later. Raises Broken if there are too many."""
        if self._is_full:
            raise Broken
        bound = tuple(self._bound(each) for each in arguments)
        key = (name, bound)
        if key not in self._known:
            self._demand_room(span)
            self._known[key] = self._new_name(f"{name}({', '.join(shown(each) for each in bound)})")
            self._waiting.append(_Call(self._known[key], let, bound, span, write))
        return self._known[key]

    def add_parts(self, count: int, span: Span) -> None:
        """Count what is about to be written. Raises Broken if that is too much: before it is written, not after."""
        self.parts += count
        self._demand_room(span)

    def write_all(self) -> None:
        """Write the lets of all calls so far, and of the calls in them, unless there are too many."""
        while self._waiting and not self._is_full:
            call = self._waiting.popleft()
            bindings = {word.text: value for word, value in zip(call.let.arguments, call.arguments, strict=True)}
            value = call.write(call.let.value, bindings)
            self.made[call.name] = syntax.Let(syntax.Word(call.name, call.let.name.span), value, use=call.span)
            with suppress(Broken):
                self._demand_room(call.span)

    def _bound(self, argument: syntax.Expression) -> syntax.Expression:
        """What is put in an argument's place: itself, or the name of a let for what is no name, constant or object."""
        if isinstance(argument, ATOMS) or is_object(argument):
            return argument
        if argument not in self._known:
            self._demand_room(argument.span)
            text = self.report.source.text[argument.span.start : argument.span.end]
            name = self._known[argument] = self._new_name(" ".join(text.split()))
            self.made[name] = syntax.Let(syntax.Word(name, argument.span), argument, use=argument.span)
        return syntax.Name(argument.span, self._known[argument])

    def _demand_room(self, span: Span) -> None:
        counts = (
            ("different calls of `let`s", len(self._known), MAX_CALLS),
            ("operands and operators in calls of `let`s", self.parts, MAX_PARTS),
        )
        for what, count, limit in counts:
            if count >= limit and not self._is_full:
                self._is_full = True
                self.report.too_many(span, what, count + 1, limit, "a file")
        if self._is_full:
            raise Broken

    def _new_name(self, text: str) -> str:
        """A name that no author can write, since it has a mark in it, and that no other let has."""
        name = text = text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
        if name in self.names:
            name = f"{text} #{len(self.names)}"
        self.names.add(name)
        return name


def shown(argument: syntax.Expression) -> str:
    """How messages show an argument."""
    if isinstance(argument, syntax.Quantity):
        return f"{argument.text} {argument.unit or ''}".strip()
    if isinstance(argument, syntax.Text):
        return f'"{argument.value}"'
    if isinstance(argument, syntax.Truth):
        return "true" if argument.value else "false"
    if isinstance(argument, nodes.OfObjects):
        return f"{argument.function.text}(...)"
    return argument.name if isinstance(argument, syntax.Name | nodes.Field) else "..."
