"""What the names of a file stand for, and the checks of these names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from triggers.language.expansion.tree import parts
from triggers.language.text import syntax
from triggers.language.text.expression_parser import MEASURES
from triggers.language.text.expressions import nodes
from triggers.language.text.reporter import Reporter
from triggers.signals.unit_spellings import nearest_units
from triggers.signals.units import parse_unit

_MEASURES = (*MEASURES, *syntax.SUN_WORDS)
"""Names of the language's own that no constant or argument may hide."""
_NEW_MEASURES = ("distance", *syntax.SUN_WORDS)
"""Those that with `language 2` mean themselves whatever `let` has the name."""

Definition = syntax.Let | syntax.Param | syntax.Set


@dataclass(frozen=True, slots=True)
class Outside:
    """Names that mean something in every file: those of the catalog's signals and lists of objects, and operators."""

    signals: Collection[str]
    lists: Collection[str] = ()
    operators: Collection[str] = ()

    def kind_of(self, name: str) -> str:
        """What a name is that no constant or argument may hide; empty if it is free."""
        taken = {"signal": self.signals, "list of objects": self.lists, "measure": _MEASURES}
        return next((kind for kind, names in taken.items() if name in names), "")


@dataclass(slots=True)
class Definitions:
    """The names that one file defines; of several definitions of a name the first one counts."""

    file: syntax.File
    path: str = ""
    """The name of an imported file; empty for the file itself."""
    own: dict[str, Definition] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What full names begin with."""
        return f"{self.path}:" if self.path else ""

    @classmethod
    def of(cls, file: syntax.File, path: str = "") -> Definitions:
        """The definitions of a file."""
        own: dict[str, Definition] = {}
        defined: list[Definition] = [*file.lets, *file.params, *file.sets]
        for each in defined:
            own.setdefault(each.name.text, each)
        return cls(file, path, own)

    def find(self, name: str) -> Definition | None:
        """What a name stands for; None if this file does not define it."""
        return self.own.get(name)

    def names(self) -> list[str]:
        """The names of all that it defines."""
        return [*self.own, *(fence.name.text for fence in self.file.fences)]

    def functions(self) -> Iterator[syntax.Let]:
        """The lets with arguments."""
        return (each for each in self.own.values() if isinstance(each, syntax.Let) and each.arguments)


def kind_of(definition: Definition) -> str:
    """The word that defines it."""
    return {syntax.Let: "let", syntax.Param: "param", syntax.Set: "set"}[type(definition)]


def check_definitions(definitions: Definitions, outside: Outside, report: Reporter, *, has_new_words: bool) -> None:
    """Report names that are taken, by another kind of definition or by what is outside the file, and units.

    A constant in a unit that does not exist has no value from here on, so that each is told once, used or not.
    """
    file = definitions.file
    constants: list[syntax.Param | syntax.Set] = [*file.params, *file.sets]
    for each in constants:
        first = definitions.own[each.name.text]
        if type(first) is not type(each):
            report.taken_name(each.name.span, each.name.text, kind_of(first))
        elif kind := outside.kind_of(each.name.text):
            report.taken_name(each.name.span, each.name.text, kind)
    for imported in file.imports:
        if (known := definitions.find(imported.alias.text)) is not None:
            report.taken_name(imported.alias.span, imported.alias.text, kind_of(known))
    for let in file.lets:
        if has_new_words and let.name.text in _NEW_MEASURES:
            report.taken_name(let.name.span, let.name.text, "measure")
        if let.arguments:
            _check_function(let, definitions, outside, report)
    _leave_out({each.name.text for each in constants if _has_unknown_unit(each, report)}, definitions)


def _leave_out(broken: set[str], definitions: Definitions) -> None:
    """What is broken has no value, and its uses are not reported again."""
    if broken:
        definitions.own = {name: each for name, each in definitions.own.items() if name not in broken}
        definitions.file = replace(definitions.file, broken_lets={*definitions.file.broken_lets, *broken})


def _has_unknown_unit(constant: syntax.Param | syntax.Set, report: Reporter) -> bool:
    """Whether a value of it is in a unit that does not exist; if so, that is reported."""
    values = constant.items if isinstance(constant, syntax.Set) else (constant.value,)
    units = [(each.span, each.unit) for each in values if isinstance(each, syntax.Quantity) and each.unit is not None]
    unknown = [(span, unit) for span, unit in units if parse_unit(unit) is None]
    for span, unit in unknown:
        report.unknown_unit(span, unit, nearest_units(unit))
    return bool(unknown)


def _check_function(let: syntax.Let, definitions: Definitions, outside: Outside, report: Reporter) -> None:
    if let.name.text in outside.operators:
        report.taken_name(let.name.span, let.name.text, "operator")
    used = set(_names(let.value, outside.signals))
    seen: set[str] = set()
    for argument in let.arguments:
        name, known = argument.text, definitions.find(argument.text)
        if name in seen:
            report.repeated_name(argument.span, "argument", name)
        elif kind := outside.kind_of(name) if known is None else kind_of(known):
            report.taken_name(argument.span, name, kind)
        elif name not in used:
            report.unused_argument(argument.span, let.name.text, name)
        seen.add(name)


def _names(value: object, signals: Collection[str]) -> Iterator[str]:
    """All names in an expression, also those of lists, and those where constants stand; of a field its object's."""
    for part in parts_of(value):
        if isinstance(part, syntax.Name | syntax.NamedQuantity):
            yield part.name
            if part.name not in signals:
                yield part.name.partition(".")[0]
        elif isinstance(part, syntax.Member) and part.named is not None:
            yield part.named.text
        elif isinstance(part, nodes.OfObjects):
            yield part.of.text


def parts_of(value: object) -> Iterator[syntax.Expression]:
    """An expression and everything in it, durations, too."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting += part
        elif isinstance(part, syntax.Expression):
            yield part
            waiting += [getattr(part, name) for name in parts(part)]


def circles(definitions: Definitions) -> list[tuple[str, ...]]:
    """Ways on which lets with arguments lead back to themselves, each with its first name at both ends.

    Without the lets that are named on them nothing leads back to itself.
    """
    called = {
        let.name.text: [
            part.function.text
            for part in parts_of(let.value)
            if isinstance(part, syntax.Call) and isinstance(definitions.find(part.function.text), syntax.Let)
        ]
        for let in definitions.functions()
    }
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    named: set[str] = set()
    for start, inner in called.items():
        way: dict[str, Iterator[str]] = {} if start in done else {start: iter(inner)}
        while way:
            name = next(reversed(way))
            after = next(way[name], None)
            if after is None:
                done.add(name)
                del way[name]
            elif after in way and after not in named:
                names = list(way)
                found.append((*names[names.index(after) :], after))
                named.update(found[-1])
            elif after not in way and after not in done:
                way[after] = iter(called.get(after, ()))
    return found
